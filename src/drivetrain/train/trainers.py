"""How a project names a trainer: frozen records; the adapter that each one names does the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer
from drivetrain.core.records.run import Scalar


@dataclass(frozen=True, init=False)
class _Boosted:
    """Boosted trees, through an adapter that both fits and serves them."""

    adapter: ClassVar[str]
    parameters: Mapping[str, Scalar]

    def __init__(self, **parameters: Scalar) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_arguments(self.parameters)})"

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self.adapter

    @property
    def engine(self) -> str:
        """The adapter's name."""
        return self.adapter

    def search_space(self) -> Mapping[str, Space]:
        """What tuning may vary: shape and regularisation, but for what is set."""
        return self._load().search_space()

    def fit(self, task: FitTask) -> Fitted:
        """Fits trees; see :class:`Trainer`."""
        return self._load().fit(task)

    def _load(self) -> Trainer:
        trainer: Trainer = plugins.load("trainer", self.adapter)(**self.parameters)
        return trainer


class LightGBM(_Boosted):
    """Gradient-boosted trees (Ke et al., 2017), through the ``lightgbm`` adapter.

    Categories are split as categories, nulls are a direction of their own, and boosting stops early by log loss on
    the validation rows. The same rows, parameters and seed give the same model, whatever the number of threads.

    Args:
        **parameters: LightGBM's own, by their names or aliases; one that is set here is not tuned.

    Example:
        >>> LightGBM(num_leaves=31)
        LightGBM(num_leaves=31)
    """

    adapter = "lightgbm"


class XGBoost(_Boosted):
    """Gradient-boosted trees (Chen and Guestrin, 2016), through the ``xgboost`` adapter.

    Categories are split as categories, nulls are a direction of their own, and boosting stops early by the loss on
    the validation rows. Needs ``pip install "drivetrain[xgboost]"``.

    Args:
        **parameters: XGBoost's own, ``num_boost_round`` among them; one that is set here is not tuned.

    Example:
        >>> XGBoost(max_depth=4)
        XGBoost(max_depth=4)
    """

    adapter = "xgboost"


@dataclass(frozen=True, init=False)
class Sklearn:
    """Any scikit-learn classifier or regressor, through the ``sklearn`` adapter.

    Before the estimator, numbers get their nulls replaced by the median, with an indicator column where there were
    any, and are scaled; categories become one column each, null among them. It is kept as skops and, where ONNX
    Runtime gives the same answers on real rows, served as ONNX.

    Args:
        estimator: A short name (``logistic_regression``, ``random_forest``, ``gradient_boosting``, ``ridge``), or the
            path of a class, such as ``sklearn.naive_bayes.GaussianNB``. A path and not an object, so that reading a
            project imports no scikit-learn and its meaning is plain text.
        **parameters: The estimator's own.

    Example:
        >>> Sklearn("logistic_regression", C=0.5).name
        'logistic_regression'
    """

    estimator: str
    parameters: Mapping[str, Scalar]

    def __init__(self, estimator: str, **parameters: Scalar) -> None:
        object.__setattr__(self, "estimator", estimator)
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        return f"Sklearn({', '.join(filter(None, (repr(self.estimator), _arguments(self.parameters))))})"

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def name(self) -> str:
        """The estimator's name."""
        return self.estimator

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


def _arguments(parameters: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in parameters.items())
