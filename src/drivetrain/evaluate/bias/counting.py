"""Rows counted by group and block: all that the report's figures are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import DAY
from drivetrain.core.records import BiasGroup, Measure, MissingGap
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.bias.shares import Tally, blocks_of, difference, enough
from drivetrain.evaluate.bootstrap import MIN_BLOCKS
from drivetrain.evaluate.ranking import Floats

LABEL = "_label"
LEAST = 100
"""Rows below which a group is too small to say."""
LEVEL = 0.95
WORST = 5
"""Features told of each group: those whose nulls differ most."""

_Marks = npt.NDArray[np.bool_]


class Rows:
    """A training set's rows: which teach, in which block they lie, what they lack.

    Args:
        frame: ``_at``, ``_label`` and the features.
        features: The columns whose nulls are counted.
    """

    def __init__(self, frame: pl.DataFrame, features: Sequence[str]) -> None:
        self._frame = frame
        self._features = features
        self.labels = frame.get_column(LABEL)
        self.taught: _Marks = self.labels.is_not_null().to_numpy()
        self.blocks, self.many = blocks_of(frame.get_column("_at").dt.epoch("us").to_numpy(), DAY)
        self.clustered = self.many >= MIN_BLOCKS

    @cached_property
    def positives(self) -> Floats | None:
        """1 where the label is, 0 elsewhere; none where labels are something else."""
        values = self.labels.drop_nulls()
        return self.labels.fill_null(0.0).to_numpy() if values.is_in([0.0, 1.0]).all() else None

    @cached_property
    def lacking(self) -> tuple[str, ...]:
        """Columns with a null among them; ``_label`` is the label itself."""
        taught = self._frame.filter(self.taught)
        features = [name for name in self._features if _nulls(taught.get_column(name)).any()]
        return (*([] if self.taught.all() else [LABEL]), *features)

    def among(self, column: str) -> _Marks:
        """Which rows a column's nulls are counted among: a feature's among those that teach."""
        return np.ones(len(self.taught), np.bool_) if column == LABEL else self.taught

    def nulls(self, column: str) -> Floats:
        """1 where a column is null."""
        return _nulls(self._frame.get_column(column)).cast(pl.Float64).to_numpy()

    def all(self, hits: Floats, among: _Marks) -> Tally:
        """Hits among all rows."""
        rows, hit = self._summed(among, hits, np.zeros(len(among), np.intp), 1)
        return Tally(rows[0], hit[0], self.clustered)

    def by_group(self, hits: Floats, among: _Marks, grouping: Grouping) -> list[tuple[Tally, Tally] | None]:
        """Hits in each group and in everybody else; none where either has no rows."""
        rows, hit = self._summed(among, hits, grouping.codes, len(grouping.values))
        alike = self.all(hits, among).correlation()
        every, every_hit = rows.sum(axis=0), hit.sum(axis=0)
        found: list[tuple[Tally, Tally] | None] = []
        for ours, our_hits in zip(rows, hit, strict=True):
            theirs = every - ours
            there = ours.any() and theirs.any()
            made = (
                Tally(ours, our_hits, self.clustered, alike),
                Tally(theirs, every_hit - our_hits, self.clustered, alike),
            )
            found.append(made if there else None)
        return found

    def shares(self, grouping: Grouping) -> list[Tally]:
        """Rows that teach of each group, among all of them."""
        rows, _ = self._summed(self.taught, np.zeros(len(self.taught)), grouping.codes, len(grouping.values))
        every = rows.sum(axis=0)
        return [Tally(every, ours, self.clustered) for ours in rows]

    def _summed(self, among: _Marks, hits: Floats, codes: npt.NDArray[np.intp], groups: int) -> tuple[Floats, Floats]:
        cells = (codes * self.many + self.blocks)[among]
        shape = groups, self.many
        rows = np.bincount(cells, minlength=groups * self.many).reshape(shape).astype(np.float64)
        hit = np.bincount(cells, weights=hits[among], minlength=groups * self.many).reshape(shape)
        return rows, hit.astype(np.float64)


class Comparing:
    """The differences that a grouping gives rise to, and what comes of each.

    Args:
        rows: The rows.
        grouping: How they are told apart.
        expected: Share of the population, by group; none where it is not declared.
    """

    def __init__(self, rows: Rows, grouping: Grouping, expected: Sequence[float | None]) -> None:
        self._rows = rows
        self._grouping = grouping
        self._expected = expected
        self._ones = np.ones(len(rows.taught))

    def numbers(self) -> dict[str, int]:
        """How many differences of each kind there are."""
        rated = 0 if self._rows.positives is None else self._pairs(self._rows.taught)
        return {
            "label rate": rated,
            "missingness": sum(self._pairs(self._rows.among(column)) for column in self._rows.lacking),
            "representation": sum(share is not None for share in self._expected),
        }

    def groups(self, together: dict[str, int]) -> Iterator[BiasGroup]:
        """Every group, its differences among as many as hold together."""
        rows = self._rows
        shares = rows.shares(self._grouping)
        rates = (
            [None] * len(shares)
            if rows.positives is None
            else rows.by_group(rows.positives, rows.taught, self._grouping)
        )
        missing = [self._missing(column, together["missingness"]) for column in rows.lacking]
        for at, (share, rate, expected) in enumerate(zip(shares, rates, self._expected, strict=True)):
            told = rate is not None and _comparable(rate)
            gaps = sorted((found for column in missing if (found := column[at])), key=lambda gap: -abs(gap.gap.value))
            yield BiasGroup(
                attributes=self._grouping.named(at),
                rows=round(float(share.hits.sum())),
                share=share.measure(LEVEL),
                expected=expected,
                beyond=None if expected is None else _beyond(share, expected, together["representation"]),
                positives=round(float(rate[0].hits.sum())) if rate and enough(rate[0], LEAST) else None,
                rate=rate[0].measure(LEVEL) if rate and enough(rate[0], LEAST) else None,
                gap=difference(*rate, LEVEL, together["label rate"]) if rate and told else None,
                missing=tuple(gaps[:WORST]),
            )

    def _missing(self, column: str, together: int) -> list[MissingGap | None]:
        """Of each group, if it surely differs."""
        found: list[MissingGap | None] = []
        for pair in self._rows.by_group(self._rows.nulls(column), self._rows.among(column), self._grouping):
            gap = None if pair is None or not _comparable(pair) else difference(*pair, LEVEL, together)
            found.append(MissingGap(column, pair[0].measure(LEVEL), gap) if pair and gap and sure(gap) else None)
        return found

    def _pairs(self, among: _Marks) -> int:
        """Groups that can be compared with everybody else; of two groups that is one comparison."""
        found = self._rows.by_group(self._ones, among, self._grouping)
        many = sum(pair is not None and _comparable(pair) for pair in found)
        return 1 if many == len(found) == 2 else many


def _comparable(pair: tuple[Tally, Tally]) -> bool:
    return all(enough(tally, LEAST) for tally in pair)


def _beyond(share: Tally, expected: float, together: int) -> Measure:
    low, high = share.bounds(LEVEL, together)
    return Measure(share.share - expected, low - expected, high - expected, round(share.count), LEVEL)


def _nulls(column: pl.Series) -> pl.Series:
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
