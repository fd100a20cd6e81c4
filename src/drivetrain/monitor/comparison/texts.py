"""Columns of texts and of vectors, compared: each statistic as it is seen, and under each deal of chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.comparison.cells import Cells
from drivetrain.monitor.texts.dealing import Dealing
from drivetrain.monitor.texts.fourier import Rows
from drivetrain.monitor.texts.kinds import Told, texts_as_points, vectors
from drivetrain.monitor.texts.measures import Lying, Worded
from drivetrain.monitor.texts.script import script_of
from drivetrain.monitor.texts.statistic import TextStatistic
from drivetrain.monitor.texts.words import Cut, Word, cut

_DIRECTIONS = 4


class Measured(NamedTuple):
    """One statistic of a column.

    Attributes:
        statistic: Its name.
        value: What is seen.
        dealt: What is compared with chance: as it is, and by each lot, shape (1 + deals,).
        words: Of the statistic of words: which moved.
    """

    statistic: TextStatistic
    value: float
    dealt: Floats
    words: tuple[Word, ...] = ()


class Prepared(NamedTuple):
    """A column of both sides, before anything is dealt.

    Attributes:
        name: The column.
        first: Rows of the reference.
        told: Its rows as points.
        cut: Its words; none of vectors.
        plain: What is compared as a column of numbers or categories: how, and both sides.
    """

    name: str
    first: int
    told: Told
    cut: Cut | None
    plain: dict[TextStatistic, tuple[str, pl.Series, pl.Series]]

    @property
    def null_shares(self) -> tuple[float, float]:
        """Share of rows without a value on both sides."""
        known = self.told.known
        return 1 - float(known[: self.first].mean()), 1 - float(known[self.first :].mean())

    def directions(self) -> list[Floats]:
        """The reference's rows along a few directions by lot: what tells if neighbours in time resemble each other."""
        points = self.told.points
        width = points.width if isinstance(points, Rows) else points.shape[1]
        drawn = np.random.default_rng(0).standard_normal((width, _DIRECTIONS)).astype(np.float32)
        along = points.times(drawn, 0, self.first) if isinstance(points, Rows) else points[: self.first] @ drawn
        seen = np.where(self.told.known[: self.first, None], along.astype(np.float64), np.nan)
        return [np.ascontiguousarray(column) for column in seen.T]


def prepare_texts(reference: pl.Series, window: pl.Series) -> Prepared:
    """A column of texts."""
    both = [*reference.to_list(), *window.to_list()]
    return Prepared(
        reference.name,
        len(reference),
        texts_as_points(reference.name, both),
        cut(both),
        {
            "length": ("ks", reference.str.len_chars(), window.str.len_chars()),
            "script": ("tv", script_of(reference), script_of(window)),
        },
    )


def prepare_vectors(reference: pl.Series, window: pl.Series) -> Prepared:
    """A column of vectors."""
    told = vectors(reference, window)
    assert not isinstance(told.points, Rows)
    norms = np.where(told.known, np.sqrt((told.points.astype(np.float64) ** 2).sum(axis=1)), np.nan)
    first = len(reference)
    there = pl.Series(told.known.astype(str))
    plain: dict[TextStatistic, tuple[str, pl.Series, pl.Series]] = {
        "norm": ("ks", pl.Series(norms[:first]), pl.Series(norms[first:])),
        "no_value": ("tv", there[:first], there[first:]),
    }
    return Prepared(reference.name, first, told, None, plain)


def measure(column: Prepared, dealing: Dealing, seed: int) -> list[Measured]:
    """Everything that is measured of a column, under the deals there are."""
    lying = Lying(column.told.points, column.told.known, column.first, dealing, seed)
    nothing = np.zeros(len(dealing.sides))
    found = [Measured("mmd", *(lying.mmd() if lying.measured else (0.0, nothing)))]
    areas = lying.classifier() if lying.measured else None
    if areas is None:
        found.append(Measured("classifier", 0.5, np.full(len(dealing.sides), 0.5)))
    else:
        drawn = np.resize(areas[1:], len(dealing.sides) - 1)
        found.append(Measured("classifier", float(areas[0]), np.append(areas[:1], drawn)))
    if column.cut is not None:
        worded = Worded(column.cut, column.first, dealing)
        if worded.measured:
            found += [
                Measured("words", *worded.shares(), tuple(worded.moved())),
                Measured("unseen_words", *worded.unseen()),
            ]
        else:
            found += [Measured("words", 0.0, nothing), Measured("unseen_words", 0.0, nothing)]
    whole = np.repeat([0, 1], [column.first, len(column.told.known) - column.first])
    for name, (statistic, before, now) in column.plain.items():
        seen = Cells(before, now, whole, 2).values(statistic, np.array([[0.0, 1.0]]))
        cells = Cells(before, now, dealing.groups, dealing.total)
        found.append(Measured(name, float(seen[0]), cells.values(statistic, dealing.sides)))
    return found
