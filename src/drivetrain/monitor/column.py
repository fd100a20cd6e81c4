"""One column of the reference: its bins, its counts by day, and where its values lie."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Field
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.statistic import scale

MOST_BINS = 20
RARE = 0.01
"""Categories with a smaller share of the reference are one bin."""
_FAR = 3.0
"""Units that a bin is wide at most: a far value of a heavy tail must not outweigh all others."""


class Column(msgspec.Struct, frozen=True):
    """What a column looked like.

    Attributes:
        name: The feature's full name.
        type: As in the model's input schema; of a text, the number is its length.
        edges: For numbers: where bins meet. Below the first and above the last nothing was seen.
        bins: For categories: the bin of each code.
        names: For categories: what each bin holds.
        counts: Rows by day and bin; nulls are the last bin.
        quantiles: For numbers: the 5th, 25th, 50th, 75th and 95th percentile; empty if there is no value.
    """

    name: str
    type: Literal["number", "boolean", "category"]
    edges: tuple[float, ...]
    bins: tuple[int, ...]
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    quantiles: tuple[float, ...]

    @property
    def width(self) -> int:
        """How many bins there are, the nulls' one included."""
        return (len(self.names) if self.type == "category" else len(self.edges) + 1) + 1

    @property
    def widths(self) -> Floats | None:
        """What a gap after each bin stands for in distances between values, shape (width,); none of categories.

        The unit is that of :func:`~drivetrain.monitor.statistics.statistic.scale`. Between edges a gap is taken to
        change evenly. How far values lie outside what the reference had is not kept: they are one unit outside, and
        nulls are one more.
        """
        if self.type == "category":
            return None
        found = np.zeros(self.width)
        edges = np.asarray(self.edges, np.float64)
        if len(edges):
            low, high = (self.quantiles[0], self.quantiles[-1]) if self.quantiles else (0.0, 0.0)
            steps = np.minimum(np.diff(edges) / scale(low, high, float(edges[-1] - edges[0])), _FAR)
            found[: len(edges)] += np.append(0.0, steps) / 2 + np.append(steps, 0.0) / 2
            found[[0, len(edges) - 1]] += 1.0
        found[-2] += 1.0
        return found

    def histogram(self, values: Floats) -> Floats:
        """Counts of values by bin; NaN and infinities are nulls, as are codes no category has."""
        return np.bincount(self.place(values), minlength=self.width).astype(np.float64)

    def place(self, values: Floats) -> npt.NDArray[np.intp]:
        """The bin of each value."""
        finite = np.isfinite(values)
        if self.type == "category":
            codes = np.where(finite, values, -1).astype(np.intp)
            known = (codes >= 0) & (codes < len(self.bins))
            table = np.asarray([*self.bins, self.width - 1], np.intp)
            return np.asarray(table[np.where(known, codes, len(self.bins))])
        found = np.searchsorted(np.asarray(self.edges, np.float64), values, side="right")
        return np.where(finite, found, self.width - 1).astype(np.intp)


def column_of(field: Field, values: Floats, days: npt.NDArray[np.intp], count: int, *, most: int = MOST_BINS) -> Column:
    """Looks at a column.

    Args:
        field: Its name and type.
        values: Encoded values, shape (n,).
        days: Day of each row, 0 to ``count`` - 1.
        count: How many days there are.
        most: Bins of numbers, about.
    """
    known = values[np.isfinite(values)]
    edges: tuple[float, ...] = ()
    bins: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    if field.type == "category":
        bins, names = _groups(field.categories, known)
    else:
        edges = _edges(known, most)
        if len(known):
            quantiles = tuple(np.quantile(known, (0.05, 0.25, 0.5, 0.75, 0.95)).tolist())
    kind: Literal["number", "boolean", "category"] = "number" if field.type == "text" else field.type
    bare = Column(field.name, kind, edges, bins, names, (), quantiles)
    cells = np.bincount(days * bare.width + bare.place(values), minlength=count * bare.width)
    rows = tuple(tuple(row) for row in cells.reshape(count, bare.width).tolist())
    return msgspec.structs.replace(bare, counts=rows)


def _edges(known: Floats, most: int) -> tuple[float, ...]:
    if not len(known):
        return ()
    distinct = np.unique(known)
    inner = (
        distinct[1:]
        if len(distinct) <= most
        else np.unique(np.quantile(known, np.linspace(0, 1, most + 1)[1:-1], method="higher"))
    )
    # Where nothing was ever seen is a bin of its own at either end: an empty one tells new territory from a busy edge.
    ends = (distinct[0], np.nextafter(distinct[-1], np.inf))
    return tuple(np.unique(np.concatenate([inner, ends])).tolist())


def _groups(categories: tuple[str, ...], known: Floats) -> tuple[tuple[int, ...], tuple[str, ...]]:
    shares = np.bincount(known.astype(np.intp), minlength=len(categories)) / max(len(known), 1)
    common = [code for code in range(len(categories)) if shares[code] >= RARE]
    place = {code: at for at, code in enumerate(common)}
    names = (*(categories[code] for code in common), "rare ones")
    return tuple(place.get(code, len(common)) for code in range(len(categories))), names
