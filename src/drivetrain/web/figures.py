"""Small drawings that need no script: geometry for the templates' inline SVG, in a box of 100 by 100 units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drivetrain.core.records import CalibrationBin, FeatureDrift, Measure, MonitorReport


class Scale(msgspec.Struct, frozen=True):
    """A range of values laid over 0 to 100."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value lies, kept within the box."""
        width = self.high - self.low
        place = 50.0 if width <= 0 else 100 * (value - self.low) / width
        return round(min(100.0, max(0.0, place)), 2)


class HeatRow(msgspec.Struct, frozen=True):
    """One feature over the windows: (level 0 to 4, words) for each; level 3 and more is drifted, 0 is no figure."""

    feature: str
    drifted: int
    cells: tuple[tuple[int, str], ...]


def scale_of(measures: Sequence[Measure | None], margin: float = 0.06) -> Scale:
    """A scale that holds every measure with its interval."""
    ends = [end for one in measures if one is not None for end in (one.low, one.value, one.high) if end is not None]
    if not ends:
        return Scale(0.0, 1.0)
    room = (max(ends) - min(ends)) * margin or 0.01
    return Scale(min(ends) - room, max(ends) + room)


def spark(values: Sequence[float | None]) -> str:
    """Points of a polyline for a run of values; empty for fewer than two."""
    found = [(at, value) for at, value in enumerate(values) if value is not None]
    if len(found) < 2:
        return ""
    scale = Scale(min(value for _, value in found), max(value for _, value in found))
    last = len(values) - 1
    return " ".join(f"{100 * at / last:.1f},{30 - 0.26 * scale.at(value) - 2:.1f}" for at, value in found)


def bars(values: Sequence[float], top: float | None = None) -> list[tuple[float, float, float, float]]:
    """Bars side by side: (x, y, width, height) of each, y downward; a value above zero is always to be seen.

    Args:
        values: None below zero.
        top: The value that is as high as the box; the greatest by default.
    """
    most = max(values, default=0.0) if top is None else top
    if most <= 0:
        return []
    width = 100 / len(values)
    heights = [max(3.0, min(100.0, 100 * value / most)) if value > 0 else 0.0 for value in values]
    return [
        (round(at * width, 3), round(100 - height, 2), round(0.88 * width, 3), round(height, 2))
        for at, height in enumerate(heights)
    ]


def steps(values: Sequence[float], top: float) -> str:
    """Points of a polyline over the tops of such bars; empty where there is none."""
    if not values or top <= 0:
        return ""
    width = 100 / len(values)
    tops = [100 - min(100.0, 100 * value / top) for value in values]
    return " ".join(f"{at * width:.2f},{y:.2f} {(at + 1) * width:.2f},{y:.2f}" for at, y in enumerate(tops))


def calibration(bins: Sequence[CalibrationBin], *, shares: bool = True) -> list[dict[str, float]]:
    """Where each bin's dot and whisker lie; x to the right, y downward.

    Args:
        bins: Of shares, laid over 0 to 1; or of numbers, laid over what there is of them.
        shares: Which they are.
    """
    dots = []
    scale = Scale(0.0, 1.0) if shares else calibration_scale(bins)
    for one in bins:
        low = one.observed.value if one.observed.low is None else one.observed.low
        high = one.observed.value if one.observed.high is None else one.observed.high
        dots.append(
            {
                "x": scale.at(one.predicted),
                "y": round(100 - scale.at(one.observed.value), 2),
                "low": round(100 - scale.at(low), 2),
                "high": round(100 - scale.at(high), 2),
            }
        )
    return dots


def calibration_scale(bins: Sequence[CalibrationBin]) -> Scale:
    """The range that predictions and what came share, whole."""
    ends = [end for one in bins for end in (one.predicted, one.observed.low, one.observed.value, one.observed.high)]
    known = [end for end in ends if end is not None]
    return Scale(min(known, default=0.0), max(known, default=1.0))


def heat(reports: Sequence[MonitorReport]) -> list[HeatRow]:
    """Drift of every feature over the windows, those that drifted most first."""
    table: dict[str, list[tuple[int, str]]] = {}
    drifted: dict[str, int] = {}
    for place, report in enumerate(reports):
        for one in report.drift:
            row = table.setdefault(one.feature, [(0, "no figure")] * len(reports))
            row[place] = _cell(one)
            drifted[one.feature] = drifted.get(one.feature, 0) + one.drifted
    order = sorted(table, key=lambda name: (-drifted[name], -sum(level for level, _ in table[name]), name))
    return [HeatRow(name, drifted[name], tuple(table[name])) for name in order]


def worst_first(drift: Sequence[FeatureDrift]) -> list[FeatureDrift]:
    """Features by how far they are above, or below, their threshold."""
    return sorted(drift, key=lambda one: -ratio(one))


def ratio(drift: FeatureDrift) -> float:
    """A drift's value as a multiple of its threshold."""
    return drift.value / drift.threshold if drift.threshold > 0 else float(drift.drifted)


def importance(shares: Mapping[str, float], top: int = 12) -> list[tuple[str, float, float]]:
    """(feature, share, width of its bar) of the features that count most; the widest bar is 100."""
    order = sorted(shares.items(), key=lambda item: -item[1])[:top]
    widest = order[0][1] if order and order[0][1] > 0 else 1.0
    return [(name, value, round(100 * value / widest, 2)) for name, value in order]


def _cell(drift: FeatureDrift) -> tuple[int, str]:
    times = ratio(drift)
    level = (4 if times >= 2 else 3) if drift.drifted else (2 if times >= 0.66 else 1)
    return level, f"{drift.statistic.upper()} {drift.value:.3f}, {times:.1f} times its threshold"
