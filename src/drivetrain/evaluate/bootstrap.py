"""Intervals by resampling whole blocks of rows (Künsch 1989; Cameron, Gelbach and Miller 2008).

Flights of one day share their weather, so a day is drawn whole: rows drawn one by one would make intervals about four
times too narrow. With few blocks the spread of the resamples is a little too small, and its tails are too light; the
interval therefore stands on the resamples' standard deviation, widened by √(B/(B-1)), and on Student's t with B-1
degrees of freedom, on a scale where the metric can't leave its range. Its coverage is shown by simulation in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.records import Measure
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.pairs import block_pairs
from drivetrain.evaluate.ranking import Floats, Ranking, Weights
from drivetrain.evaluate.student import t_quantile

Moments = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MIN_BLOCKS = 4
"""With fewer blocks an interval would say more about t than about the model; none is given."""

MOST_CLUSTERS = 1_000
"""Clusters that are drawn one by one; of more, random lots of about equal size are (Wolter, 2007, chapter 2)."""


class Bootstrap(msgspec.Struct, frozen=True, kw_only=True):
    """How intervals are made.

    Attributes:
        replicates: How often rows are drawn anew.
        seed: Of the draws.
        block: How long a stretch of time is drawn whole, counted from midnight UTC.
        level: Coverage of the intervals.
        cluster: Column whose values are drawn whole instead of stretches of time, with all their rows: for rows that
            repeat one another because they are about the same customer or patient.

    Example:
        >>> Bootstrap(cluster="patient").words
        'patient'
    """

    replicates: int = 500
    seed: int = 0
    block: Micros = DAY
    level: float = 0.95
    cluster: str = ""

    @property
    def words(self) -> str:
        """What a block is, for records and cards."""
        if self.cluster:
            return self.cluster
        days = self.block / DAY
        return "day of prediction (UTC)" if days == 1 else f"{days:g} days of prediction (UTC)"


class Resamples:
    """The same draws of blocks for every vector over the same rows, so that differences are paired.

    Attributes:
        codes: Block of each row, shape (n,).
        counts: How often each replicate drew each block, shape (replicates, blocks).
    """

    def __init__(self, codes: npt.NDArray[np.intp], counts: npt.NDArray[np.int64], level: float) -> None:
        self.codes = codes
        self.counts = counts
        self.level = level
        self.blocks = len(np.unique(codes))

    def among(self, mask: Mask) -> Resamples:
        """The same draws, seen by some of the rows."""
        return Resamples(self.codes[mask], self.counts, self.level)

    def each(self) -> Iterator[Weights]:
        """How often each row is there, shape (n,): once, then in each replicate."""
        yield np.ones(len(self.codes), np.int64)
        for counts in self.counts:
            yield np.take(counts, self.codes)

    def roc_auc(self, labels: Floats, scores: Floats) -> Floats:
        """ROC AUC in the rows as they are and in each replicate, shape (replicates + 1,).

        The pairs in the right order are counted once for each two blocks; a replicate then only weighs the counts.
        """
        blocks = self.counts.shape[1]
        if blocks > len(self.counts):  # as many passes over the rows as there are blocks would take longer
            ranking = Ranking(labels, scores)
            return np.array([ranking.areas_by_row(weights).roc_auc for weights in self.each()])
        right = block_pairs(labels, scores, self.codes, blocks)
        drawn = np.vstack([np.ones((1, blocks)), self.counts])
        of_label = [
            drawn @ np.bincount(self.codes, weights=which, minlength=blocks) for which in (labels, 1.0 - labels)
        ]
        every = of_label[0] * of_label[1]
        ordered = np.einsum("rb,rb->r", drawn @ right, drawn)
        nothing: Floats = np.full(len(drawn), np.nan)
        return np.asarray(np.divide(ordered, every, out=nothing, where=every > 0), np.float64)

    def sums(self, values: Floats, group: npt.NDArray[np.intp] | None = None, groups: int = 1) -> Floats:
        """Sums of ``values`` by group, in the rows as they are and in each replicate.

        Args:
            values: Shape (n,).
            group: Group of each row, 0 to ``groups`` - 1; one group by default.
            groups: How many there are.

        Returns:
            Shape (replicates + 1, groups); the rows as they are come first.
        """
        blocks = self.counts.shape[1]
        cell = self.codes if group is None else self.codes * groups + group
        by_block = np.bincount(cell, weights=values, minlength=blocks * groups).reshape(blocks, groups)
        return np.vstack([by_block.sum(axis=0, keepdims=True), self.counts @ by_block])


class Draws(msgspec.Struct, frozen=True):
    """A figure's value, and its values in each replicate (NaN where a replicate can't tell)."""

    value: float
    replicates: Floats
    count: int
    blocks: int

    def measure(self, metric: Metric, level: float) -> Measure:
        """The figure with its interval on the metric's scale; none with fewer than four blocks."""
        bounds = self.interval(metric.scale, level)
        if bounds is None:
            return Measure(self.value, None, None, self.count, level)
        return Measure(self.value, bounds[0], bounds[1], self.count, level)

    def interval(self, scale: str, level: float) -> tuple[float, float] | None:
        """Lower and upper bound, or none where there are too few blocks or replicates to tell."""
        seen = self.replicates[np.isfinite(self.replicates)]
        if self.blocks < MIN_BLOCKS or len(seen) < max(20, len(self.replicates) // 2):
            return None
        lowest, highest = min(self.value, float(seen.min())), max(self.value, float(seen.max()))
        inside = scale == "line" or (lowest > 0.0 and (scale == "positive" or highest < 1.0))
        there, back = _SCALES[scale if inside else "line"]
        width = t_quantile(0.5 + level / 2, self.blocks - 1) * math.sqrt(self.blocks / (self.blocks - 1))
        width *= float(np.std(there(seen), ddof=1))
        centre = float(there(np.float64(self.value)))
        low, high = float(back(np.float64(centre - width))), float(back(np.float64(centre + width)))
        if scale == "line":
            return low, high
        return max(low, 0.0), high if scale == "positive" else min(high, 1.0)


def draw(ats: Moments, bootstrap: Bootstrap, clusters: npt.NDArray[np.int64] | None = None) -> Resamples:
    """Draws blocks with replacement.

    Args:
        ats: Moment of each row, microseconds UTC, shape (n,).
        bootstrap: How many replicates, of which blocks.
        clusters: What is drawn whole in place of stretches of time: rows with one number belong together, shape (n,).
    """
    _, codes = np.unique(ats // bootstrap.block if clusters is None else clusters, return_inverse=True)
    if clusters is not None:
        codes = _lots(codes, bootstrap.seed)
    blocks = int(codes.max()) + 1 if len(codes) else 0
    random = np.random.default_rng(bootstrap.seed)
    counts = random.multinomial(blocks, np.full(blocks, 1.0 / max(blocks, 1)), size=bootstrap.replicates)
    return Resamples(codes.astype(np.intp), counts.astype(np.int64), bootstrap.level)


def _lots(codes: npt.NDArray[np.intp], seed: int) -> npt.NDArray[np.intp]:
    """Many clusters thrown together at random, a thousand lots of them; few as they are."""
    many = int(codes.max()) + 1 if len(codes) else 0
    if many <= MOST_CLUSTERS:
        return codes
    lot = np.random.default_rng(seed).permutation(many) % MOST_CLUSTERS
    return np.asarray(lot[codes], np.intp)


def difference(ours: Draws, theirs: Draws, metric: Metric) -> Draws:
    """How much better ``ours`` is, replicate by replicate; positive is better whatever the metric."""
    if metric.better == "greater":
        gains = ours.replicates - theirs.replicates
    elif metric.better == "zero":
        gains = np.abs(theirs.replicates) - np.abs(ours.replicates)
    else:
        gains = theirs.replicates - ours.replicates
    return Draws(metric.gain(ours.value, theirs.value), gains, ours.count, ours.blocks)


def _logit(values: Floats | np.float64) -> Floats:
    return np.asarray(np.log(values) - np.log1p(-values), np.float64)


def _share(values: Floats | np.float64) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)), np.float64)


def _same(values: Floats | np.float64) -> Floats:
    return np.asarray(values, np.float64)


def _log(values: Floats | np.float64) -> Floats:
    return np.asarray(np.log(values), np.float64)


def _exp(values: Floats | np.float64) -> Floats:
    return np.asarray(np.exp(values), np.float64)


_Map = Callable[[Floats | np.float64], Floats]
_SCALES: dict[str, tuple[_Map, _Map]] = {"share": (_logit, _share), "positive": (_log, _exp), "line": (_same, _same)}
