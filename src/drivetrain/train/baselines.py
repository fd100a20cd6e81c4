"""What any model must beat: the rate at which it came true before, by group."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.train.rate import FILE, RateEngine, RateTable, group, same


class HistoricalRate(msgspec.Struct, frozen=True):
    """The mean label of each group of training rows, drawn toward the mean of all.

    A group of n rows with mean m answers ``(n * m + smoothing * overall) / (n + smoothing)``; a group never seen
    answers the overall mean. Nulls are a group of their own.

    Args:
        by: Features, by full name, whose values make the groups; none for the overall mean alone.
        smoothing: How many rows of the overall mean each group is given.

    Example:
        >>> HistoricalRate(by=["schedule.carrier", "schedule.hour"]).engine
        'rate'
    """

    by: Sequence[str] = ()
    smoothing: float = 20.0

    def __post_init__(self) -> None:
        """Checks the smoothing at the door."""
        if isinstance(self.by, str):
            raise UsageError("HistoricalRate needs a list of features", found=repr(self.by), expected=f"[{self.by!r}]")
        if not self.smoothing >= 0:
            raise UsageError("smoothing can't be negative", found=self.smoothing, expected="0 or more rows")

    @property
    def name(self) -> str:
        """``historical_rate``."""
        return "historical_rate"

    @property
    def engine(self) -> str:
        """``rate``."""
        return "rate"

    def search_space(self) -> Mapping[str, Space]:
        """Nothing to tune."""
        return {}

    def fit(self, task: FitTask) -> FittedRate:
        """Counts the groups.

        Raises:
            TrainingError: ``by`` names a feature that the model does not have, there are no rows, or labels are none
                of a mean.
        """
        labels, _ = plugins.load("labels", "numpy")(self.name, task, ("binary", "regression"))
        if not len(labels):
            raise TrainingError("a historical rate needs rows", found="none")
        positions = [_position(name, task.schema) for name in self.by]
        groups, members = same(np.asarray(task.rows)[:, positions])
        weights = np.ones(len(labels)) if task.weights is None else np.asarray(task.weights, dtype=np.float64)
        counts = np.bincount(members, weights=weights, minlength=len(groups))
        sums = np.bincount(members, weights=weights * labels, minlength=len(groups))
        overall = float(np.average(labels, weights=weights))
        rates = (sums + self.smoothing * overall) / (counts + self.smoothing)
        table = RateTable(
            by=tuple(self.by),
            smoothing=float(self.smoothing),
            overall=overall,
            groups=tuple(
                (tuple(_value(task.schema.fields[at], code) for at, code in zip(positions, codes, strict=True)), rate)
                for codes, rate in zip(map(group, groups.tolist()), rates.tolist(), strict=True)
            ),
        )
        return FittedRate(table, task.schema)


class FittedRate:
    """Rates just counted."""

    def __init__(self, table: RateTable, schema: InputSchema) -> None:
        self._table = table
        self._engine = RateEngine(table, schema)

    def predict(self, rows: Matrix) -> np.ndarray:
        """The rate of each row's group, shape (n,)."""
        return self._engine.predict(rows)

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes the table as JSON."""
        (folder / FILE).write_bytes(msgspec.json.encode(self._table))
        return [(FILE, "json")]

    def importance(self) -> dict[str, float]:
        """Not known of a table."""
        return {}

    def parameters(self) -> dict[str, Scalar]:
        """What it was counted by."""
        return {"by": ", ".join(self._table.by), "smoothing": self._table.smoothing, "groups": len(self._table.groups)}


def _position(name: str, schema: InputSchema) -> int:
    if name not in schema.names:
        close = difflib.get_close_matches(name, schema.names, n=3, cutoff=0.5)
        raise TrainingError(
            f"a historical rate by {name!r} needs it among the model's features",
            expected=f"one such as {', '.join(close)}" if close else f"one of {', '.join(schema.names)}",
        )
    return schema.names.index(name)


def _value(field: Field, code: float | None) -> str | float | None:
    """What a code stands for, so that the table reads without the schema it was counted with."""
    return field.categories[int(code)] if code is not None and field.type == "category" else code
