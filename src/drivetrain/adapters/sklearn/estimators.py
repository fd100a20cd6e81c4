"""Estimators by name, and what tuning may vary of each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import KINDS, TaskKind


@dataclass(frozen=True)
class Named:
    """An estimator with a short name."""

    path: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    space: Mapping[str, Space] = field(default_factory=dict)
    parallel: bool = False
    """Whether ``n_jobs`` does something."""
    regressor: str = ""
    """Path of its like for numbers; none where there is none."""


ESTIMATORS: Mapping[str, Named] = MappingProxyType(
    {
        "logistic_regression": Named(
            "sklearn.linear_model.LogisticRegression",
            {"solver": "newton-cholesky", "max_iter": 50, "tol": 1e-3},
            {"C": Space(1e-3, 10.0, log=True)},
        ),
        "random_forest": Named(
            "sklearn.ensemble.RandomForestClassifier",
            {"n_estimators": 100, "min_samples_leaf": 20},
            {"min_samples_leaf": Space(5, 200, integer=True, log=True), "max_features": Space(0.1, 1.0)},
            parallel=True,
            regressor="sklearn.ensemble.RandomForestRegressor",
        ),
        "gradient_boosting": Named(
            "sklearn.ensemble.HistGradientBoostingClassifier",
            {},
            {
                "learning_rate": Space(0.02, 0.3, log=True),
                "max_leaf_nodes": Space(8, 64, integer=True, log=True),
                "l2_regularization": Space(0.01, 30.0, log=True),
            },
            regressor="sklearn.ensemble.HistGradientBoostingRegressor",
        ),
        "ridge": Named("sklearn.linear_model.Ridge", {}, {"alpha": Space(1e-3, 1e3, log=True)}),
    }
)


def make(name: str, parameters: Mapping[str, Scalar], *, seed: int, threads: int, kind: TaskKind = "binary") -> Any:  # noqa: ANN401 - sklearn has no types
    """An estimator, not fitted yet.

    Args:
        name: A short name, or the path of a class.
        parameters: The estimator's own, over those that come with a short name.
        seed: Its ``random_state``, where it has one.
        threads: Its ``n_jobs``, where a short name makes use of it.
        kind: Of the answers wanted; numbers ask for a short name's regressor.

    Raises:
        TrainingError: There is no such class, it is no estimator, or it has no such parameter.
    """
    from sklearn.base import BaseEstimator  # noqa: PLC0415 - deferred: it takes a while

    named = ESTIMATORS.get(name, Named(name))
    path = named.regressor if kind == "regression" and named.regressor else named.path
    module, _, attribute = path.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise TrainingError(
            f"no scikit-learn estimator is called {name!r}",
            expected=f"{', '.join(ESTIMATORS)}, or a path such as sklearn.naive_bayes.GaussianNB",
        ) from None
    if not (isinstance(made, type) and issubclass(made, BaseEstimator)):
        raise TrainingError(f"{path} is no scikit-learn estimator", found=repr(made))
    estimator = made()
    has = estimator.get_params()
    given: dict[str, Any] = {**named.parameters, **parameters}
    unknown = [parameter for parameter in given if parameter not in has]
    if unknown:
        raise TrainingError(f"{attribute} has no parameter {unknown[0]!r}", expected=", ".join(sorted(has)))
    decided: dict[str, Any] = {"random_state": seed} if "random_state" in has else {}
    decided |= {"n_jobs": threads} if named.parallel else {}
    return estimator.set_params(**{**decided, **given})


def fitting(estimator: Any, name: str, kind: TaskKind) -> Any:  # noqa: ANN401 - sklearn has no types
    """What is fitted to answers of a kind: the estimator, or one of it for each of several labels.

    Raises:
        TrainingError: It does not give such answers.
    """
    from sklearn.base import is_classifier, is_regressor  # noqa: PLC0415 - deferred: it takes a while
    from sklearn.multiclass import OneVsRestClassifier  # noqa: PLC0415 - as above

    if kind in {"quantile", "ranking"}:
        raise TrainingError(
            f"scikit-learn's estimators do not tell {KINDS[kind]}", do="Choose dt.LightGBM() or dt.XGBoost()"
        )
    told = is_regressor(estimator) if kind == "regression" else is_classifier(estimator)
    if not told and kind != "binary":
        regressors = [each for each, named in ESTIMATORS.items() if named.regressor or "lassifier" not in named.path]
        wanted = "a regressor" if kind == "regression" else "a classifier"
        raise TrainingError(
            f"{name} does not tell {KINDS[kind]}",
            expected=wanted + (f", such as {', '.join(regressors)}" if kind == "regression" else ""),
        )
    if kind == "multilabel":
        return OneVsRestClassifier(estimator)
    return estimator
