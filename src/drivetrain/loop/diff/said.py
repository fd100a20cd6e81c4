"""What a comparison of two versions says; plain values, so that they are JSON as they are."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from drivetrain.core.records import Measure
from drivetrain.data.compare import Moved
from drivetrain.loop.making import Change

Rows: TypeAlias = Literal["unseen", "seen", "none"]
"""Rows that neither version learned from; rows that one of them did; none that both can be asked about."""


class TableChange(msgspec.Struct, frozen=True, kw_only=True):
    """A table that both versions, or one of them, were made from.

    Attributes:
        table: Its name.
        before: Its version then; none where it was not used.
        after: Its version in the other.
        rows_before: Rows of it then.
        rows_after: Rows of it in the other.
        moved: Columns that moved beyond chance, in a sentence each.
        note: Why columns could not be compared; empty where they were.
    """

    table: str
    before: int | None
    after: int | None
    rows_before: int | None = None
    rows_after: int | None = None
    moved: tuple[Moved, ...] = ()
    note: str = ""

    @property
    def same(self) -> bool:
        """Whether both used the same version."""
        return self.before == self.after


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What both learned from.

    Attributes:
        tables: Training sets first, then the tables they were made from.
        rows: Rows that each was fitted on.
        window: From when until when these rows are, ISO 8601.
    """

    tables: tuple[TableChange, ...]
    rows: tuple[int, int]
    window: tuple[tuple[str, str], tuple[str, str]]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What made both.

    Attributes:
        commit: Git commits; none where no repository was there, or none was noted.
        dirty: Whether code was changed and not committed.
        definitions: Label and features that mean something else.
        note: What is not known.
    """

    commit: tuple[str | None, str | None]
    dirty: tuple[bool, bool]
    definitions: tuple[Change, ...] = ()
    note: str = ""


class MetricDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of both.

    Attributes:
        metric: Its name.
        before: As the first version was judged, on its own test rows.
        after: As the second was judged, on its own.
        paired: How much better the second is on the same rows (positive is better); none where there are none.
        on_same: Both on these rows: the first, the second.
    """

    metric: str
    before: Measure | None = None
    after: Measure | None = None
    paired: Measure | None = None
    on_same: tuple[Measure, Measure] | None = None

    @property
    def sure(self) -> bool:
        """Whether the difference is more than luck."""
        return self.paired is not None and self.paired.low is not None and self.paired.high is not None and (
            self.paired.low > 0 or self.paired.high < 0
        )  # fmt: skip


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """How good both are.

    Attributes:
        metrics: Every metric.
        rows: Rows on which they are paired.
        window: From when until when these are, ISO 8601.
        note: Why they are not paired; empty where they are.
    """

    metrics: tuple[MetricDifference, ...]
    rows: int = 0
    window: tuple[str, str] | None = None
    note: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a feature has to do with a difference.

    Attributes:
        feature: Its full name; ``(base)`` for what both expect before they know anything.
        before: What it adds to the first version's margin.
        after: What it adds to the second's.
        size: Mean size of the difference; of one row, its size.
        values: Its value in both, where these are of one row; masked where it is personal.
    """

    feature: str
    before: float
    after: float
    size: float
    values: tuple[Any, Any] | None = None

    @property
    def difference(self) -> float:
        """What it adds to the difference."""
        return self.after - self.before


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One row that is answered otherwise.

    Attributes:
        entity: What names it; masked where that is personal.
        at: Its moment, ISO 8601.
        label: What came.
        before: What the first version says.
        after: What the second says.
        causes: Why, the greatest first; empty where an engine can't tell.
    """

    entity: str
    at: str
    label: float | None
    before: float
    after: float
    causes: tuple[Cause, ...] = ()


class SliceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that share a value of a column.

    Attributes:
        column: The column.
        value: The value.
        rows: Rows of the sample.
        mean: Mean of the second's answers minus the first's.
        size: Mean size of that difference.
        causes: Mean causes, the greatest first.
    """

    column: str
    value: str
    rows: int
    mean: float
    size: float
    causes: tuple[Cause, ...] = ()


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """Whom both answer otherwise, and by how much.

    Attributes:
        of: What rows the sample is of.
        rows: Rows in it, evenly spaced in time; the same for the same training sets.
        mean: Mean answer of each.
        difference: Mean of the second's answers minus the first's.
        size: Mean size of the difference.
        quantiles: Share of rows → size of the difference that it does not exceed.
        crossed: Rows that changed sides of one half: (up, down).
        changed: The rows with the greatest differences.
        slices: Declared slices, those that changed most first.
        causes: Mean size of the difference of each feature's contribution, over a part of the sample.
        unit: What contributions are measured in; empty where there are none.
        explained: Rows whose contributions were compared.
        note: What could not be done, and why.
    """

    of: Rows
    rows: int = 0
    mean: tuple[float, float] | None = None
    difference: float = 0.0
    size: float = 0.0
    quantiles: dict[str, float] = {}
    crossed: tuple[int, int] = (0, 0)
    changed: tuple[Changed, ...] = ()
    slices: tuple[SliceChange, ...] = ()
    causes: tuple[Cause, ...] = ()
    unit: str = ""
    explained: int = 0
    note: str = ""


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of one model.

    Attributes:
        model: The model.
        before: Number of the first.
        after: Number of the second.
        made: When each was registered, ISO 8601.
        data: What they learned from.
        features: Columns that came, went, or mean something else.
        code: What made them.
        configuration: How they were fitted, part by part.
        parameters: Those of the fitted models.
        environment: Packages, and the machine.
        metrics: How good they are.
        predictions: Whom they answer otherwise.
    """

    model: str
    before: int
    after: int
    made: tuple[str, str]
    data: Data
    features: tuple[Change, ...]
    code: Code
    configuration: tuple[Change, ...]
    parameters: tuple[Change, ...]
    environment: tuple[Change, ...]
    metrics: Metrics
    predictions: Predictions
