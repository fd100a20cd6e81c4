"""Rows counted by group and block: all that the report's figures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import DAY
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.bias.shares import Tally, blocks_of, enough
from drivetrain.evaluate.bootstrap import MIN_BLOCKS
from drivetrain.evaluate.ranking import Floats

LABEL = "_label"
LEAST = 100
"""Rows below which a group is too small to say."""

Marks: TypeAlias = npt.NDArray[np.bool_]


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
        self.taught: Marks = self.labels.is_not_null().to_numpy()
        self.blocks, self.many = blocks_of(frame.get_column("_at").dt.epoch("us").to_numpy(), DAY)
        # What is compared are mostly rows that teach; days of others tell nothing of how alike theirs are.
        self.clustered = len(np.unique(self.blocks[self.taught])) >= MIN_BLOCKS

    @cached_property
    def positives(self) -> Marks | None:
        """Where the label is 1; none where labels are something else than 0 and 1."""
        known = self.labels.dtype.is_numeric() and self.labels.drop_nulls().is_in([0.0, 1.0]).all()
        return (self.labels == 1.0).fill_null(value=False).to_numpy() if known else None

    @cached_property
    def lacking(self) -> dict[str, Nulls]:
        """Columns with a null among them, the label itself first."""
        found = {} if self.taught.all() else {LABEL: Nulls(self, ~self.taught, np.ones(len(self.taught), np.bool_))}
        for name in self._features:
            marks = _nulls(self._frame.get_column(name)).to_numpy() & self.taught
            if marks.any():
                found[name] = Nulls(self, marks, self.taught)
        return found

    def all(self, hits: Marks, among: Marks) -> Tally:
        """Hits among all rows."""
        rows, hit = (np.bincount(self.blocks[which], minlength=self.many) for which in (among, hits))
        return Tally(rows.astype(np.float64), hit.astype(np.float64), self.clustered)


class Nulls:
    """Where a column is null, and the rows among which that is counted.

    Args:
        rows: The rows.
        marks: Where it is null.
        among: A feature's among the rows that teach, the label's among all.
    """

    def __init__(self, rows: Rows, marks: Marks, among: Marks) -> None:
        self.marks = marks
        self.among = among
        self.tally = rows.all(marks, among)
        """Of all rows."""


class Cells:
    """Rows by group and block.

    Args:
        rows: The rows.
        grouping: How they are told apart.
        among: Which of them count.
    """

    def __init__(self, rows: Rows, grouping: Grouping, among: Marks) -> None:
        self._shape = len(grouping.values), rows.many
        self._cells = grouping.codes * rows.many + rows.blocks
        self._clustered = rows.clustered
        self.rows = self._summed(among)
        """Shape (groups, blocks)."""
        self._every = self.rows.sum(axis=0)

    def shares(self) -> list[Tally]:
        """Rows of each group, among all of them."""
        return [Tally(self._every, ours, self._clustered) for ours in self.rows]

    def pairs(self, hits: Marks, alike: float) -> list[tuple[Tally, Tally] | None]:
        """Hits in each group and in everybody else; none where either has no rows.

        Args:
            hits: Which rows are hits, of those that count.
            alike: How alike two rows of a block are.
        """
        hit = self._summed(hits)
        every = hit.sum(axis=0)
        found: list[tuple[Tally, Tally] | None] = []
        for ours, our_hits in zip(self.rows, hit, strict=True):
            theirs = self._every - ours
            pair = (
                Tally(ours, our_hits, self._clustered, alike),
                Tally(theirs, every - our_hits, self._clustered, alike),
            )
            found.append(pair if ours.any() and theirs.any() else None)
        return found

    @cached_property
    def comparisons(self) -> int:
        """Groups that can be compared with everybody else; of two groups that is one comparison."""
        found = self.pairs(np.zeros(len(self._cells), np.bool_), 0.0)
        many = sum(comparable(pair) for pair in found)
        return 1 if many == len(found) == 2 else many

    def _summed(self, which: Marks) -> Floats:
        many = np.bincount(self._cells[which], minlength=self._shape[0] * self._shape[1])
        return many.reshape(self._shape).astype(np.float64)


def comparable(pair: tuple[Tally, Tally] | None) -> bool:
    """Whether a group and everybody else both have rows enough to say."""
    return pair is not None and all(enough(tally, LEAST) for tally in pair)


def _nulls(column: pl.Series) -> pl.Series:
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
