"""Rates of groups, counted once; and the widest difference of equalized odds by itself, for a million rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bias.groups import Grouping
from drivetrain.evaluate.bias.shares import wilson
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.parity import (
    DISPARITIES,
    RATES,
    Rate,
    disparity_of,
)
from drivetrain.evaluate.ranking import Floats

LEAST = 100
"""Rows below which a group is too small to say."""
LEAST_OF = 30
"""Rows below which a rate is not told."""
_FEW = 5
"""Hits, or misses, below which resamples know too little of a share: Wilson's interval stands in, if it is wider."""


class Counted:
    """What rates are made of, by group, in the rows as they are and in every replicate.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Predictions, shape (n,).
        acted: Whether each row is acted on, or the chance that it is, shape (n,).
        grouping: Who is told apart.
        luck: Draws over the same rows.
    """

    def __init__(
        self, labels: Floats, scores: Floats, acted: npt.NDArray[np.bool_] | Floats, grouping: Grouping, luck: Luck
    ) -> None:
        self.luck = luck
        self.grouping = grouping
        many = len(grouping.values)
        parts = {
            "rows": np.ones(len(labels)),
            "yes": labels,
            "acted": acted.astype(np.float64),
            "right": labels * acted,
            "said": scores,
        }
        self._designs = [
            {name: design.sums(values, grouping.codes, many) for name, values in parts.items()}
            for design in luck.designs
        ]
        self.counts: dict[str, npt.NDArray[np.int64]] = {
            name: self._designs[0][name][0].round().astype(np.int64) for name in ("rows", "yes", "acted")
        }
        self.blocks = np.array([luck.among(grouping.codes == at) for at in range(many)])

    def rates(self, rate: Rate) -> list[Floats]:
        """A rate by design, each of shape (replicates + 1, groups); NaN where it rests on nothing."""
        return [_rate(rate, sums) for sums in self._designs]

    def told(self, rate: Rate) -> npt.NDArray[np.bool_]:
        """Which groups have rows enough to tell of a rate, shape (groups,)."""
        under = _sum(rate.under, self._designs[0])[0]
        wide = self.luck.days.blocks < 4 or self.blocks >= 4
        return np.asarray((self.counts["rows"] >= LEAST) & (under >= LEAST_OF) & wide, np.bool_)

    def measures(self) -> list[dict[str, Measure]]:
        """Every rate of every group that can be told, with its interval."""
        found: list[dict[str, Measure]] = [{} for _ in self.grouping.values]
        for rate in RATES.values():
            figures = self.rates(rate)
            errors = self.luck.errors(figures)
            under, top = (_sum(names, self._designs[0])[0] for names in (rate.under, rate.top))
            for at in np.flatnonzero(self.told(rate)):
                width = self.luck.width(int(self.blocks[at]))
                value, count = float(figures[0][0, at]), float(under[at])
                bounds: tuple[float | None, float | None] = (None, None)
                if width is not None and np.isfinite(errors[at]):
                    low, high = _bounds(value, float(errors[at]) * width, rate.scale)
                    if rate.scale == "share" and min(top[at], count - top[at]) < _FEW:
                        least, most = wilson(value, count, width)
                        low, high = min(low, least), max(high, most)
                    bounds = low, high
                found[at][rate.name] = Measure(value, *bounds, round(count), self.luck.level)
        return found


def disparities(labels: npt.ArrayLike, acted: npt.ArrayLike, groups: npt.ArrayLike) -> dict[str, float]:
    """Every disparity between groups, as figures alone: no group is too small, and none carries an interval.

    Args:
        labels: 0 or 1, shape (n,).
        acted: 0 or 1, or whether each row is acted on, shape (n,).
        groups: Group of each row, a whole number from 0, shape (n,).

    Returns:
        Name → value; one that rests on nothing is left out.

    Example:
        >>> found = disparities([1, 1, 0, 1, 1, 0], [1, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1])
        >>> found["equalized_odds_difference"], found["equal_opportunity_ratio"]
        (1.0, 0.5)
    """
    truth, done = np.asarray(labels).astype(np.intp), np.asarray(acted).astype(np.intp)
    cell = np.bincount(np.asarray(groups).astype(np.intp) * 4 + truth * 2 + done)
    filled = np.zeros(-(-len(cell) // 4) * 4)
    filled[: len(cell)] = cell
    table: Floats = filled.reshape(-1, 4)
    table = table[table.sum(axis=1) > 0]
    sums = {
        "rows": table.sum(axis=1),
        "yes": table[:, 2] + table[:, 3],
        "acted": table[:, 1] + table[:, 3],
        "right": table[:, 3],
    }
    rates = {name: _rate(RATES[name], sums) for each in DISPARITIES.values() for name in each.rates}
    return {name: value for name in DISPARITIES if (value := _widest(name, rates)) is not None}


def _widest(name: str, rates: Mapping[str, Floats]) -> float | None:
    definition = disparity_of(name)
    known = [found for rate in definition.rates if len(found := rates[rate][np.isfinite(rates[rate])])]
    if not known:
        return None
    if definition.kind == "difference":
        return max(float(found.max() - found.min()) for found in known)
    ratios = [float(found.min() / found.max()) for found in known if found.max() > 0]
    return min(ratios, default=None)


def _rate(rate: Rate, sums: Mapping[str, Floats]) -> Floats:
    top, under = _sum(rate.top, sums), _sum(rate.under, sums)
    return np.asarray(np.divide(top, under, out=np.full(top.shape, np.nan), where=under > 0), np.float64)


def _sum(names: tuple[str, ...], sums: Mapping[str, Floats]) -> Floats:
    parts = [-sums[name[1:]] if name.startswith("-") else sums[name] for name in names]
    return np.asarray(sum(parts[1:], start=parts[0]), np.float64)


def _bounds(value: float, reach: float, scale: str) -> tuple[float, float]:
    """A share's interval is made where it can't leave 0 to 1: on the scale of log odds, by the delta method."""
    if scale == "line" or not 0.0 < value < 1.0:
        low, high = value - reach, value + reach
        return (low, high) if scale == "line" else (max(low, 0.0), min(high, 1.0))
    odds, away = np.log(value / (1.0 - value)), reach / (value * (1.0 - value))
    low, high = (1.0 / (1.0 + np.exp(-np.clip(odds + side * away, -700, 700))) for side in (-1.0, 1.0))
    return float(low), float(high)
