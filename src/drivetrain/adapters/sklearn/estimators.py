"""Estimators by name, and what tuning may vary of each."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import KINDS, TaskKind

Source: TypeAlias = str | Callable[[], Any]
"""A short name, the path of a class, or a function that returns an estimator."""


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


def make(source: Source, parameters: Mapping[str, Scalar], task: FitTask) -> Any:  # noqa: ANN401 - sklearn has no types
    """An estimator, not fitted yet.

    Args:
        source: A short name, the path of a class, or a function that returns an estimator.
        parameters: The estimator's own, over those that come with it; of a pipeline's steps as ``step__name``.
        task: Its seed is every ``random_state`` that is not set, its threads a short name's ``n_jobs``; its kind
            chooses between a short name's kin.

    Raises:
        TrainingError: There is no such class, it is no estimator, or it has no such parameter.
    """
    from sklearn.base import BaseEstimator  # noqa: PLC0415 - deferred: it takes a while

    if not isinstance(source, str):
        named, estimator = Named(source.__name__), source()
        if not isinstance(estimator, BaseEstimator):
            raise TrainingError(f"{source.__name__} returned no scikit-learn estimator", found=type(estimator).__name__)
    else:
        named = ESTIMATORS.get(source, Named(source))
        path = named.regressor if named.regressor and task.kind == "regression" else named.path
        estimator = _made(source, path, BaseEstimator)
    has = estimator.get_params()
    given: dict[str, Any] = {**named.parameters, **parameters}
    unknown = [parameter for parameter in given if parameter not in has]
    if unknown:
        kind = type(estimator).__name__
        raise TrainingError(f"{kind} has no parameter {unknown[0]!r}", expected=", ".join(sorted(has)))
    decided: dict[str, Any] = {
        name: task.seed for name, value in has.items() if name.split("__")[-1] == "random_state" and value is None
    }
    decided |= {"n_jobs": task.threads} if named.parallel else {}
    return estimator.set_params(**{**decided, **given})


def _made(name: str, path: str, base: type) -> Any:  # noqa: ANN401 - sklearn has no types
    module, _, attribute = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise TrainingError(
            f"no scikit-learn estimator is called {name!r}",
            expected=f"{', '.join(ESTIMATORS)}, or a path such as sklearn.naive_bayes.GaussianNB",
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise TrainingError(f"{path} is no scikit-learn estimator", found=repr(kind))
    try:
        return kind()
    except TypeError as error:
        raise TrainingError(f"{path} needs to be built: {error}", do="Name a function that builds it") from None


def fitting(estimator: Any, name: str, kind: TaskKind) -> Any:  # noqa: ANN401 - sklearn has no types
    """What is fitted to answers of a kind: the estimator, or one of it for each of several labels.

    Raises:
        TrainingError: It does not give such answers.
    """
    from sklearn.base import is_classifier, is_regressor  # noqa: PLC0415 - deferred: it takes a while
    from sklearn.multiclass import OneVsRestClassifier  # noqa: PLC0415 - as above
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - as above

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
            do="Choose another estimator",
        )
    if kind != "multilabel":
        return estimator
    if isinstance(estimator, Pipeline):  # of somebody's own: what it makes of the rows is the same for every label
        name, last = estimator.steps[-1]
        return Pipeline([*estimator.steps[:-1], (name, OneVsRestClassifier(last))])
    return OneVsRestClassifier(estimator)
