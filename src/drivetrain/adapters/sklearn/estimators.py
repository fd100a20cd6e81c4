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


@dataclass(frozen=True)
class Named:
    """An estimator with a short name."""

    path: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    space: Mapping[str, Space] = field(default_factory=dict)
    parallel: bool = False
    """Whether ``n_jobs`` does something."""


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
        ),
        "gradient_boosting": Named(
            "sklearn.ensemble.HistGradientBoostingClassifier",
            {},
            {
                "learning_rate": Space(0.02, 0.3, log=True),
                "max_leaf_nodes": Space(8, 64, integer=True, log=True),
                "l2_regularization": Space(0.01, 30.0, log=True),
            },
        ),
        "ridge": Named("sklearn.linear_model.Ridge", {}, {"alpha": Space(1e-3, 1e3, log=True)}),
    }
)


def make(name: str, parameters: Mapping[str, Scalar], *, seed: int, threads: int) -> Any:  # noqa: ANN401 - sklearn has no types
    """An estimator, not fitted yet.

    Args:
        name: A short name, or the path of a class.
        parameters: The estimator's own, over those that come with a short name.
        seed: Its ``random_state``, where it has one.
        threads: Its ``n_jobs``, where a short name makes use of it.

    Raises:
        TrainingError: There is no such class, it is no estimator, or it has no such parameter.
    """
    from sklearn.base import BaseEstimator  # noqa: PLC0415 - deferred: it takes a while

    named = ESTIMATORS.get(name, Named(name))
    module, _, attribute = named.path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise TrainingError(
            f"no scikit-learn estimator is called {name!r}",
            expected=f"{', '.join(ESTIMATORS)}, or a path such as sklearn.naive_bayes.GaussianNB",
        ) from None
    if not (isinstance(kind, type) and issubclass(kind, BaseEstimator)):
        raise TrainingError(f"{named.path} is no scikit-learn estimator", found=repr(kind))
    estimator = kind()
    has = estimator.get_params()
    given: dict[str, Any] = {**named.parameters, **parameters}
    unknown = [parameter for parameter in given if parameter not in has]
    if unknown:
        raise TrainingError(f"{attribute} has no parameter {unknown[0]!r}", expected=", ".join(sorted(has)))
    decided: dict[str, Any] = {"random_state": seed} if "random_state" in has else {}
    decided |= {"n_jobs": threads} if named.parallel else {}
    return estimator.set_params(**{**decided, **given})
