"""What any model must beat: what came before, in all rows or by group."""

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
from drivetrain.core.records.task import KINDS
from drivetrain.train.rate import FILE, Answer, RateEngine, RateTable, group, same


class HistoricalRate(msgspec.Struct, frozen=True):
    """The mean label of each group of training rows, drawn toward the mean of all; of classes, the share of each.

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
            TrainingError: ``by`` names a feature that the model does not have, there are no rows, quantiles are wanted,
                or labels are none of their kind.
        """
        if task.kind == "quantile":
            raise TrainingError(
                f"{self.name} does not tell {KINDS[task.kind]}: a mean is no quantile",
                do="Take dt.Naive() as the baseline",
            )
        labels = _shares(self.name, task)
        if not len(labels):
            raise TrainingError("a historical rate needs rows", found="none")
        positions = [_position(name, task.schema) for name in self.by]
        groups, members = same(np.asarray(task.rows)[:, positions])
        weights = np.ones(len(labels)) if task.weights is None else np.asarray(task.weights, dtype=np.float64)
        counts = np.bincount(members, weights=weights, minlength=len(groups))[:, None]
        sums = np.stack(
            [np.bincount(members, weights=weights * column, minlength=len(groups)) for column in labels.T], axis=1
        )
        overall = np.average(labels, axis=0, weights=weights)
        rates = (sums + self.smoothing * overall) / (counts + self.smoothing)
        table = RateTable(
            by=tuple(self.by),
            smoothing=float(self.smoothing),
            overall=_answer(overall.tolist()),
            groups=tuple(
                (
                    tuple(_value(task.schema.fields[at], code) for at, code in zip(positions, codes, strict=True)),
                    _answer(rate),
                )
                for codes, rate in zip(map(group, groups.tolist()), rates.tolist(), strict=True)
            ),
        )
        return FittedRate(table, task.schema)


class Naive(msgspec.Struct, frozen=True):
    """The one answer that does best without looking at the row.

    Of a yes or no the share that came true; of classes the share of each (the likeliest is then the commonest); of a
    number the median, which no other constant beats in mean absolute error; of quantiles those of the labels; of
    several labels the share of each; of an order, no preference at all.

    Example:
        >>> Naive().name
        'naive'
    """

    @property
    def name(self) -> str:
        """``naive``."""
        return "naive"

    @property
    def engine(self) -> str:
        """``rate``."""
        return "rate"

    def search_space(self) -> Mapping[str, Space]:
        """Nothing to tune."""
        return {}

    def fit(self, task: FitTask) -> FittedRate:
        """Counts the labels; weights count where shares do.

        Raises:
            TrainingError: There are no rows, or labels are none of their kind.
        """
        labels = _shares(self.name, task)
        if not len(labels):
            raise TrainingError("a baseline needs rows", found="none")
        if task.kind in {"regression", "quantile"}:
            told = np.quantile(labels[:, 0], task.levels or (0.5,))
        elif task.kind == "ranking":
            told = np.zeros(1)
        else:
            told = np.average(labels, axis=0, weights=task.weights)
        return FittedRate(RateTable((), 0.0, _answer(told.tolist()), ()), task.schema)


class FittedRate:
    """Rates just counted."""

    def __init__(self, table: RateTable, schema: InputSchema) -> None:
        self._table = table
        self._engine = RateEngine(table, schema)

    def predict(self, rows: Matrix) -> np.ndarray:
        """The rate of each row's group, shape (n,); (n, outputs) where an answer has several numbers."""
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


def _shares(name: str, task: FitTask) -> np.ndarray:
    """Labels of which the mean is an answer: of classes, 1 for the one that came; shape (n, outputs)."""
    labels: np.ndarray = plugins.load("labels", "numpy")(name, task)[0]
    if task.kind == "multiclass":
        return np.eye(len(task.classes))[labels.astype(np.intp)]
    return labels.reshape(len(labels), -1)


def _answer(numbers: Sequence[float]) -> Answer:
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


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
