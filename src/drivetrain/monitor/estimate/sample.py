"""A sample of a version's evaluation rows, each value the number of its bin: enough to weigh rows, no more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Field, InputSchema
from drivetrain.evaluate.ranking import Floats

MOST_ROWS = 2_000
_BINS = 12
_CATEGORIES = 40

Codes = npt.NDArray[np.uint8]


class Binned(msgspec.Struct, frozen=True, kw_only=True):
    """How one feature's values become numbers of bins; 0 is a missing one.

    Attributes:
        name: Of the feature.
        edges: Of numbers: what parts the bins, ascending; a value equal to an edge lies below it.
        frequent: Of categories: the codes of the most frequent; 1 stands for all others.
        names: Of those.
    """

    name: str
    edges: tuple[float, ...] = ()
    frequent: tuple[float, ...] | None = None
    names: tuple[str, ...] = ()

    @property
    def bins(self) -> int:
        """How many there are, that of missing values among them."""
        return len(self.edges) + 2 if self.frequent is None else len(self.frequent) + 2

    def codes(self, values: Floats) -> Codes:
        """The bin of each value."""
        there = np.isfinite(values)
        if self.frequent is None:
            found = 1 + np.searchsorted(np.asarray(self.edges), np.where(there, values, 0.0), side="left")
        else:
            known = np.asarray(self.frequent)
            at = np.searchsorted(known, values).clip(0, max(len(known) - 1, 0))
            hit = known[at] == values if len(known) else np.zeros(len(values), bool)
            found = np.where(hit, 2 + at, 1)
        return np.where(there, found, 0).astype(np.uint8)

    def words(self, code: int) -> str:
        """A bin in words, after "where"."""
        if code == 0:
            return f"{self.name} is missing"
        if self.frequent is not None:
            return f"{self.name} is another" if code == 1 else f"{self.name} is {self.names[code - 2]}"
        low = self.edges[code - 2] if code >= 2 else None
        high = self.edges[code - 1] if code <= len(self.edges) else None
        if low is None:
            return f"{self.name} is {high:.4g} or less" if high is not None else f"{self.name} is there"
        return f"{self.name} is above {low:.4g}" + ("" if high is None else f", to {high:.4g}")


class Sample(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Rows of an evaluation, spaced evenly over its time.

    Attributes:
        columns: How each feature was put into bins.
        packed: Bins, one byte each, row after row.
        said: Predictions, float64, row after row.
        came: Labels, float64.
        on: Days, int64.
    """

    columns: tuple[Binned, ...]
    packed: bytes
    said: bytes
    came: bytes
    on: bytes

    @cached_property
    def codes(self) -> Codes:
        """Shape (rows, features)."""
        return np.frombuffer(self.packed, np.uint8).reshape(-1, len(self.columns))

    @cached_property
    def labels(self) -> Floats:
        """Shape (rows,)."""
        return np.frombuffer(self.came, np.float64)

    @cached_property
    def predictions(self) -> Floats:
        """Shape (rows,), or (rows, outputs)."""
        flat = np.frombuffer(self.said, np.float64)
        return flat if len(flat) == len(self.labels) else flat.reshape(len(self.labels), -1)

    @cached_property
    def days(self) -> npt.NDArray[np.int64]:
        """Shape (rows,)."""
        return np.frombuffer(self.on, np.int64)

    def encode(self, values: Floats) -> Codes:
        """Bins of a window's rows, shape (n, features)."""
        return np.column_stack([column.codes(values[:, at]) for at, column in enumerate(self.columns)])


def take_sample(
    values: Floats,
    outputs: Floats,
    labels: Floats,
    days: npt.NDArray[np.int64],
    schema: InputSchema,
    withheld: frozenset[str] = frozenset(),
) -> Sample:
    """Keeps rows of an evaluation.

    Args:
        values: Encoded input rows, shape (n, fields), in order of time.
        outputs: What the model says to them.
        labels: What came.
        days: Of each row.
        schema: The model's input.
        withheld: Features whose values are not to be kept: to their rows they are missing.
    """
    picks = spaced(len(labels), MOST_ROWS)
    columns = tuple(
        Binned(name=field.name) if field.name in withheld else _binned(field, values[:, at])
        for at, field in enumerate(schema.fields)
    )
    codes = [
        np.zeros(len(picks), np.uint8) if column.name in withheld else column.codes(values[picks, at])
        for at, column in enumerate(columns)
    ]
    return Sample(
        columns=columns,
        packed=np.column_stack(codes).tobytes(),
        said=np.ascontiguousarray(outputs[picks], np.float64).tobytes(),
        came=np.ascontiguousarray(labels[picks], np.float64).tobytes(),
        on=np.ascontiguousarray(days[picks], np.int64).tobytes(),
    )


def spaced(rows: int, most: int) -> npt.NDArray[np.intp]:
    """At most so many positions, evenly over all."""
    return np.linspace(0, rows - 1, min(most, rows)).astype(np.intp)


def _binned(field: Field, values: Floats) -> Binned:
    there = values[np.isfinite(values)]
    if field.type == "category":
        codes, counts = np.unique(there, return_counts=True)
        frequent = np.sort(codes[np.argsort(-counts, kind="stable")[:_CATEGORIES]])
        names = tuple(_name(field.categories, int(code)) for code in frequent)
        return Binned(name=field.name, frequent=tuple(frequent.tolist()), names=names)
    if not len(there):
        return Binned(name=field.name)
    edges = np.unique(np.quantile(there, np.linspace(0, 1, _BINS + 1)[1:-1], method="lower"))
    return Binned(name=field.name, edges=tuple(edges[edges < there.max()].tolist()))


def _name(categories: Sequence[str], code: int) -> str:
    return categories[code] if code < len(categories) else str(code)
