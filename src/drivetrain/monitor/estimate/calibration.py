"""What probabilities turned out to mean on evaluation rows, kept as counts and learned again in each replicate.

The map from a probability to the share that came true is a logistic regression on the probability's log odds,
piecewise linear with a few hinges, pulled gently towards leaving the probability as it is (Cox, 1958; Harrell, 2015,
chapter 2). Isotonic regression, the usual choice, has no valid bootstrap at its steps; this one has, and a day
resampled is a day of counts, so that hundreds of replicates take milliseconds.
"""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats

BINS = 50
MOST_BLOCKS = 40
_CLIP = 1e-9
_STEPS = 12
_KEPT = 16
_PULL = 1.0
"""Standard deviation, in log odds, that the departures from leaving probabilities alone have beforehand."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what came of one class's probabilities.

    Attributes:
        margins: Mean log odds of each bin of rows of equal predictions, ascending.
        rows: Rows of each block and bin, one block after the other.
        came: How many of them came true.
        blocks: Stretches of days.
        shared: Of days: the sum of their squared residuals, what luck alone makes of it, and the sum of their squared
            slopes in log odds.
        days: How many there were.
    """

    margins: tuple[float, ...]
    rows: tuple[float, ...]
    came: tuple[float, ...]
    blocks: int
    shared: tuple[float, float, float] = (0.0, 0.0, 1.0)
    days: int = 1

    @property
    def shock(self) -> float:
        """Standard deviation, in log odds, of what a day shares beyond the luck of its rows."""
        apart, luck, slope = self.shared
        return math.sqrt(max(apart - luck, 0.0) / max(slope, 1e-300))

    def shocks(self, replicates: int, random: np.random.Generator) -> Floats:
        """That standard deviation as it may be, for so many days tell it roughly: shape (replicates,).

        The sum of squares scatters like a χ² with a degree of freedom less than there are days.
        """
        if self.days < 2:
            return np.zeros(replicates)
        apart, luck, slope = self.shared
        drawn = apart * (self.days - 1) / random.chisquare(self.days - 1, replicates)
        return np.sqrt(np.maximum(drawn - luck, 0.0) / max(slope, 1e-300))

    def curves(self, replicates: int, seed: int = 0) -> Curves:
        """The map from probability to share, as it is and from resampled blocks.

        Args:
            replicates: How many besides.
            seed: Of the draws.
        """
        return _curves(self, replicates, seed)


class Curves:
    """Maps from log odds to the probability that it comes true; the first from the rows as they are.

    Args:
        knots: Where the slope may change, in log odds.
        departures: Coefficients, shape (curves, terms).
    """

    def __init__(self, knots: Floats, departures: Floats) -> None:
        self._knots = knots
        self._departures = departures

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._departures)

    def shares(self, predictions: Floats, which: slice = slice(0, 1), shocks: Floats | None = None) -> Floats:
        """Probability of each row under some of the curves, shape (curves, n).

        Args:
            predictions: Probabilities, shape (n,).
            which: Which curves.
            shocks: Added in log odds, shape (curves, n).
        """
        margin = margins_of(predictions)
        found = margin + self._departures[which] @ _basis(margin, self._knots).T
        return expit(found if shocks is None else found + shocks)


def observe(
    predictions: Floats, labels: Floats, days: npt.NDArray[np.int64], weights: Floats | None = None
) -> Calibration:
    """Counts what came of probabilities.

    Args:
        predictions: Probabilities, shape (n,), at least one.
        labels: 0 or 1, shape (n,).
        days: Day of each row, shape (n,).
        weights: How much each row counts; all alike by default.
    """
    margin = margins_of(predictions)
    weight = np.ones(len(margin)) if weights is None else weights
    cells = np.searchsorted(np.unique(np.quantile(margin, np.linspace(0, 1, BINS + 1)[1:-1])), margin, side="left")
    _, cells = np.unique(cells, return_inverse=True)
    _, day = np.unique(days, return_inverse=True)
    block = day * min(MOST_BLOCKS, int(day.max()) + 1) // (int(day.max()) + 1)
    width, blocks = int(cells.max()) + 1, int(block.max()) + 1
    mass = np.bincount(cells, weights=weight, minlength=width)
    means = np.bincount(cells, weights=weight * margin, minlength=width) / np.maximum(mass, 1e-300)
    flat = block * width + cells
    counted = Calibration(
        margins=tuple(means.tolist()),
        rows=tuple(np.bincount(flat, weights=weight, minlength=width * blocks).tolist()),
        came=tuple(np.bincount(flat, weights=weight * labels, minlength=width * blocks).tolist()),
        blocks=blocks,
    )
    expected = counted.curves(0).shares(predictions)[0]
    return msgspec.structs.replace(counted, shared=_shared(labels, expected, day, weight), days=int(day.max()) + 1)


@lru_cache(_KEPT)
def _curves(counted: Calibration, replicates: int, seed: int) -> Curves:
    """As :meth:`Calibration.curves`: a version's calibration stays, and every window that it answers asks for these."""
    shape = (counted.blocks, len(counted.margins))
    rows, came = np.reshape(counted.rows, shape), np.reshape(counted.came, shape)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(counted.blocks, np.full(counted.blocks, 1 / counted.blocks), size=replicates)
    weights = np.vstack([np.ones((1, counted.blocks)), drawn])
    margins = np.asarray(counted.margins)
    knots = _knots(margins, rows.sum(axis=0), float(came.sum()))
    return Curves(knots, _fit(_basis(margins, knots), margins, weights @ rows, weights @ came))


def margins_of(predictions: Floats) -> Floats:
    """Log odds of probabilities, none infinite."""
    sure = np.clip(predictions, _CLIP, 1 - _CLIP)
    return np.asarray(np.log(sure) - np.log1p(-sure), np.float64)


def expit(margins: Floats) -> Floats:
    """Probabilities of log odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(margins, -40.0, 40.0))), np.float64)


def _shared(labels: Floats, expected: Floats, day: npt.NDArray[np.intp], weight: Floats) -> tuple[float, float, float]:
    """What days share, by moments: the spread of their sums of residuals beside that of independent rows."""
    apart = np.bincount(day, weights=weight * (labels - expected))
    luck = np.bincount(day, weights=weight**2 * expected * (1 - expected))
    slope = np.bincount(day, weights=weight * expected * (1 - expected))
    return float(np.square(apart).sum()), float(luck.sum()), float(np.square(slope).sum())


def _knots(margins: Floats, rows: Floats, came: float) -> Floats:
    """As many hinges as the rarer outcome bears, at quantiles of the rows.

    The second bin from either end is one too: a model that rounds to 0 or 1 says it with log odds of any size, and what
    that comes to must not tilt the line of all others.
    """
    rarer = min(came, float(rows.sum()) - came)
    count = min(6, len(margins) - 2, int(math.sqrt(max(rarer, 0.0)) / 8))
    if count <= 0:
        return np.empty(0)
    through = np.cumsum(rows) / rows.sum()
    at = np.searchsorted(through, np.linspace(0, 1, count + 2)[1:-1])
    ends = [1, len(margins) - 2] if count > 2 else []
    return np.unique(margins[[*np.clip(at, 1, len(margins) - 2), *ends]])


def _basis(margins: Floats, knots: Floats) -> Floats:
    return np.column_stack([np.ones(len(margins)), margins, *(np.maximum(margins - knot, 0.0) for knot in knots)])


def _fit(basis: Floats, margins: Floats, rows: Floats, came: Floats) -> Floats:
    """Newton's steps of every replicate's penalised regression at once, the log odds as they are an offset.

    They start from the weighted least squares of the bins' own log odds, for from nowhere they may leap too far.
    """
    pull = np.eye(basis.shape[1]) / _PULL**2
    share = (came + 0.5) / (rows + 1.0)
    found = _solve(rows * share * (1 - share), np.log(share) - np.log1p(-share) - margins, basis, pull)
    for _ in range(_STEPS):
        share = expit(margins + found @ basis.T)
        slope = (came - rows * share) @ basis - found @ pull
        curve = np.einsum("rk,ki,kj->rij", rows * share * (1 - share), basis, basis, optimize=True) + pull
        step = np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
        found += step
        if float(np.abs(step).max()) < 1e-7:
            break
    return found


def _solve(weights: Floats, targets: Floats, basis: Floats, pull: Floats) -> Floats:
    curve = np.einsum("rk,ki,kj->rij", weights, basis, basis, optimize=True) + pull
    return np.asarray(np.linalg.solve(curve, ((weights * targets) @ basis)[:, :, None])[:, :, 0], np.float64)
