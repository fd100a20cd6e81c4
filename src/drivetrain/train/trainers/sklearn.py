"""scikit-learn's estimators, by name or by a function that builds one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer
from drivetrain.core.records.run import Scalar
from drivetrain.train.trainers.said import arguments, function


@dataclass(frozen=True, init=False)
class Sklearn:
    """Any scikit-learn classifier or regressor, through the ``sklearn`` adapter.

    Before the estimator, numbers get their nulls replaced by the median, with an indicator column where there were
    any, and are scaled; categories become one column each, null among them. It is kept as skops and, where ONNX
    Runtime gives the same answers on real rows, served as ONNX.

    Args:
        estimator: A short name (``logistic_regression``, ``random_forest``, ``gradient_boosting``, ``ridge``), or the
            path of a class, such as ``sklearn.naive_bayes.GaussianNB``: not an object, so that reading a project
            imports no scikit-learn and its meaning is plain text. Or a function that returns an estimator, and imports
            what it needs; a pipeline that it returns reads encoded rows itself, NaN for null and codes for categories.
        **parameters: The estimator's own; of a pipeline's steps as ``step__name``.

    Example:
        >>> Sklearn("logistic_regression", C=0.5).name
        'logistic_regression'
    """

    estimator: str | Callable[[], Any]
    parameters: Mapping[str, Scalar]

    def __init__(self, estimator: str | Callable[[], Any], **parameters: Scalar) -> None:
        object.__setattr__(self, "estimator", estimator)
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        named = repr(self.estimator) if isinstance(self.estimator, str) else function(self.estimator)
        return f"Sklearn({', '.join(filter(None, (named, arguments(self.parameters))))})"

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def name(self) -> str:
        """The estimator's name, or that of the function."""
        return self.estimator if isinstance(self.estimator, str) else self.estimator.__name__

    @property
    def engine(self) -> str:
        """``onnx``."""
        return "onnx"

    def search_space(self) -> Mapping[str, Space]:
        """What tuning may vary for the named estimators; nothing for a path."""
        return self._adapter().search_space()

    def fit(self, task: FitTask) -> Fitted:
        """Fits the pipeline; see :class:`Trainer`."""
        return self._adapter().fit(task)

    def _adapter(self) -> Trainer:
        trainer: Trainer = plugins.load("trainer", "sklearn")(self.estimator, **self.parameters)
        return trainer
