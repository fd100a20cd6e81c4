"""What shares its luck: days, and entities whose rows repeat; how far a figure wobbles because of both.

Rows of one day share their luck, and so do rows of one entity. Where entities repeat, the variance is that of rows
clustered by two things at once (Cameron, Gelbach and Miller, 2011): by day, plus by entity, less by both together,
each from resamples that draw whole clusters; never less than by day alone. Entities, and pairs of day and entity, are
put into bundles at random, which leaves clusters independent and bounds the cost.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.bootstrap import MIN_BLOCKS, Bootstrap, Mask, Moments, Resamples, draw
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile

BUNDLES = 200


class Luck:
    """Draws over the rows: by day, and where entities repeat by entity and by both.

    Args:
        ats: Moment of each row, microseconds UTC, shape (n,).
        bootstrap: How many replicates, of which blocks, at which level.
        entities: Whom each row is of, shape (n,); none where that is not known.
    """

    def __init__(
        self, ats: Moments, bootstrap: Bootstrap, entities: npt.NDArray[np.intp] | None = None, /, *, seed: int = 1
    ) -> None:
        self.days = draw(ats, bootstrap)
        self.level = bootstrap.level
        self.words = bootstrap.words
        self._others: tuple[Resamples, ...] = ()
        if entities is not None and len(entities) and int(entities.max()) + 1 < len(entities):
            random = np.random.default_rng(bootstrap.seed + seed)
            bundle = random.integers(0, BUNDLES, int(entities.max()) + 1)[entities]
            pairs, pair = np.unique(self.days.codes * (int(entities.max()) + 1) + entities, return_inverse=True)
            both = random.integers(0, BUNDLES, len(pairs))[pair]
            self._others = (_drawn(bundle, bootstrap, random), _drawn(both, bootstrap, random))
            self.words = f"{bootstrap.words}, and each entity"

    @property
    def designs(self) -> tuple[Resamples, ...]:
        """By day; then, where entities repeat, by entity and by both."""
        return (self.days, *self._others)

    def among(self, mask: Mask) -> int:
        """How many days some of the rows lie in."""
        return self.days.among(mask).blocks

    def errors(self, figures: list[Floats]) -> Floats:
        """Standard errors of figures.

        Args:
            figures: For each design, the figures in the rows as they are and in each replicate, shape
                (replicates + 1, figures); NaN where a replicate can't tell.

        Returns:
            Shape (figures,); NaN where fewer than half of the replicates can tell.
        """
        by = [_variance(each[1:]) for each in figures]
        found = by[0] if len(by) == 1 else np.fmax(by[0], by[0] + by[1] - by[2])
        return np.asarray(np.sqrt(found * (self.days.blocks / max(self.days.blocks - 1, 1))), np.float64)

    def width(self, blocks: int, *, level: float | None = None) -> float | None:
        """Standard errors to either side of a figure; none with fewer than four blocks."""
        if blocks < MIN_BLOCKS:
            return None
        return t_quantile(0.5 + (self.level if level is None else level) / 2, blocks - 1)

    def width_of_all(self, figures: Floats) -> float | None:
        """Standard errors to either side of many figures, so that their intervals hold all together.

        The studentised maximum over the replicates (Romano and Wolf, 2005), never below that of a single figure, and
        made wider by as much as Student's t is wider than the normal.

        Args:
            figures: By day, shape (replicates + 1, figures).
        """
        single = self.width(self.days.blocks)
        if single is None:
            return None
        spread = np.sqrt(_variance(figures[1:]))
        with np.errstate(invalid="ignore", divide="ignore"):
            away = np.abs(figures[1:] - figures[0]) / spread
        away[~np.isfinite(away)] = 0.0
        largest = float(np.quantile(away.max(axis=1), self.level))
        return max(single, largest * single / t_quantile(0.5 + self.level / 2, 1e6))


def _variance(replicates: Floats) -> Floats:
    known = np.isfinite(replicates)
    enough = known.sum(axis=0) >= max(20, len(replicates) // 2)
    filled = np.where(known, replicates, 0.0)
    many = np.maximum(known.sum(axis=0), 2)
    mean = filled.sum(axis=0) / many
    squares = (np.where(known, replicates - mean, 0.0) ** 2).sum(axis=0) / (many - 1)
    return np.asarray(np.where(enough, squares, math.nan), np.float64)


def _drawn(codes: npt.NDArray[np.int64], bootstrap: Bootstrap, random: np.random.Generator) -> Resamples:
    _, at = np.unique(codes, return_inverse=True)
    bundles = int(at.max()) + 1
    counts = random.multinomial(bundles, np.full(bundles, 1.0 / bundles), size=bootstrap.replicates)
    return Resamples(at.astype(np.intp), counts.astype(np.int64), bootstrap.level)
