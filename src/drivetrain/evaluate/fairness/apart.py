"""How far groups lie apart, with an interval for the widest gap that holds whichever pair it lies between."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Disparity, Measure
from drivetrain.evaluate.fairness.luck import Luck
from drivetrain.evaluate.fairness.rates import Counted
from drivetrain.evaluate.parity import DISPARITIES, RATES, Definition
from drivetrain.evaluate.ranking import Floats


def apart(counted: Counted) -> list[Disparity]:
    """Every disparity of a grouping, among the groups that are large enough; none where fewer than two are."""
    return [found for each in DISPARITIES.values() if (found := _disparity(each, counted)) is not None]


def _disparity(definition: Definition, counted: Counted) -> Disparity | None:
    pairs, gaps = _gaps(definition, counted)
    if not pairs:
        return None
    sizes = np.abs(gaps[0][0])
    if np.isnan(sizes).all():
        return None
    widest = int(np.nanargmax(sizes))
    rate, one, other = pairs[widest]
    low, high = (other, one) if gaps[0][0, widest] >= 0 else (one, other)
    value, bounds = float(sizes[widest]), _bounds(gaps, counted.luck)
    if definition.kind == "ratio":
        value = float(np.exp(-value))
        bounds = None if bounds is None else (float(np.exp(-bounds[1])), float(np.exp(-bounds[0])))
    elif bounds is not None:
        bounds = bounds[0], min(bounds[1], 1.0)
    lowest, highest = (None, None) if bounds is None else bounds
    return Disparity(
        metric=definition.name,
        attributes=counted.grouping.attributes,
        rate=rate,
        value=Measure(value, lowest, highest, int(counted.counts["rows"][[one, other]].sum()), counted.luck.level),
        low_group=", ".join(counted.grouping.values[low]),
        high_group=", ".join(counted.grouping.values[high]),
        groups=len({at for _, *both in pairs for at in both}),
    )


def _gaps(definition: Definition, counted: Counted) -> tuple[list[tuple[str, int, int]], list[Floats]]:
    """Pairs of groups, and of each the one's rate less the other's (of ratios, of logarithms), by design."""
    pairs: list[tuple[str, int, int]] = []
    parts: list[list[Floats]] = [[] for _ in counted.luck.designs]
    for name in definition.rates:
        rate = RATES[name]
        told: npt.NDArray[np.intp] = np.flatnonzero(counted.told(rate))
        first, second = (told[side] for side in np.triu_indices(len(told), 1))
        if not len(first):
            continue
        pairs += [(name, int(one), int(other)) for one, other in zip(first, second, strict=True)]
        for part, found in zip(parts, counted.rates(rate), strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                figures = np.log(found) if definition.kind == "ratio" else found
                part.append(figures[:, first] - figures[:, second])
    return pairs, [np.hstack(part) for part in parts if part]


def _bounds(gaps: list[Floats], luck: Luck) -> tuple[float, float] | None:
    """Of all pairs the highest lower and the highest upper bound: the widest gap can't lie outside."""
    width, errors = luck.width_of_all(gaps[0]), luck.errors(gaps)
    sizes = np.abs(gaps[0][0])
    if width is None or not np.isfinite(errors[int(np.nanargmax(sizes))]):
        return None
    reach = np.where(np.isfinite(errors), errors, 0.0) * width
    return max(0.0, float(np.nanmax(sizes - reach))), float(np.nanmax(sizes + reach))
