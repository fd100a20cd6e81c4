"""How a model's answer goes with a feature, on average."""

from __future__ import annotations

import msgspec

from drivetrain.core.records.base import Record
from drivetrain.core.records.evaluation import Measure


class DependencePoint(msgspec.Struct, frozen=True):
    """The mean answer were the feature this value in every row."""

    value: str
    said: Measure
    near: float
    """Share of rows that lie nearest this point: where there are few, nobody was ever asked that."""


class Dependence(msgspec.Struct, frozen=True):
    """One feature; of a number, points at its 5th to 95th percentile in order, of text its commonest values."""

    feature: str
    points: tuple[DependencePoint, ...]
    number: bool


class DependenceReport(Record, frozen=True, kw_only=True):
    """Partial dependence of the features that the model leans on most."""

    kind = "dependence"

    run_id: str
    model: str
    data: str
    """Ref of the table version the rows come from."""
    rows: int
    """Rows that were asked again."""
    features: tuple[Dependence, ...] = ()
    moved: dict[str, float] = {}
    """Feature → share of what moved the margins of rows (mean absolute SHAP value), the greatest first; empty where the
    model can't tell exactly."""

    @property
    def key(self) -> str:
        """The run's id."""
        return self.run_id

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
