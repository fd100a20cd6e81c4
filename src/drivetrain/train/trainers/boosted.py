"""Boosted trees: frozen records; the adapter that each one names does the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer
from drivetrain.core.records.run import Scalar
from drivetrain.train.trainers.said import arguments


@dataclass(frozen=True, init=False)
class _Boosted:
    """Boosted trees, through an adapter that both fits and serves them."""

    adapter: ClassVar[str]
    parameters: Mapping[str, Scalar]

    def __init__(self, **parameters: Scalar) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({arguments(self.parameters)})"

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


class CatBoost(_Boosted):
    """Gradient-boosted symmetric trees (Prokhorenkova et al., 2018), through the ``catboost`` adapter.

    Categories are told by statistics of the labels before them, nulls are below every number, and boosting stops early
    by the loss on the validation rows. A fit that was killed goes on from CatBoost's own snapshot.
    Needs ``pip install "drivetrain[catboost]"``.

    Args:
        **parameters: CatBoost's own, ``iterations`` among them; one that is set here is not tuned.

    Example:
        >>> CatBoost(depth=6)
        CatBoost(depth=6)
    """

    adapter = "catboost"
