"""Charts of the model card as inline SVG; colours come from the page's style, so both themes work."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from drivetrain.core.records import CalibrationBin, Measure
from drivetrain.evaluate.operating import Curve
from drivetrain.evaluate.wording import figures, percent

_SIDE = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 18.0, 12.0, 40.0
_SHARES = tuple(f"{step / 5:.0%}" for step in range(6))
_WIDE, _HIGH = _SIDE - _LEFT - _RIGHT, _SIDE - _TOP - _BOTTOM


def calibration_chart(bins: Sequence[CalibrationBin], *, shares: bool = True, came: str = "came true") -> Markup:
    """What was predicted, across, against what came, upwards, with intervals; perfection is the diagonal.

    Args:
        bins: What to draw, one at least.
        shares: Whether they are shares, which begin at nought; numbers begin and end where theirs do.
        came: What came is called.
    """
    seen = [
        end for point in bins for end in (point.predicted, point.observed.low, point.observed.high) if end is not None
    ]
    seen += [point.observed.value for point in bins]
    low, high = (0.0, _round_up(max(seen))) if shares else (min(seen), max(*seen, min(seen) + 1e-9))

    def at(value: float) -> float:
        return (value - low) / (high - low)

    scale = "{:.0%}" if shares else "{:,.4g}"
    marks = [scale.format(low + (high - low) * step / 5) for step in range(6)]
    parts = [_frame(marks, marks, "predicted", came)]
    parts.append(f'<line class="guide" x1="{_x(0, 1)}" y1="{_y(0, 1)}" x2="{_x(1, 1)}" y2="{_y(1, 1)}"/>')
    for point in bins:
        x, observed = _x(at(point.predicted), 1.0), point.observed
        if observed.low is not None and observed.high is not None:
            low_y, high_y = _y(at(observed.low), 1.0), _y(at(observed.high), 1.0)
            parts.append(f'<line class="range" x1="{x}" x2="{x}" y1="{low_y}" y2="{high_y}"/>')
        said = percent(point.predicted) if shares else f"{point.predicted:,.4g}"
        words = f"predicted {said}, {came} {figures(observed)}, {point.count:,} rows"
        y = _y(at(observed.value), 1.0)
        parts.append(f'<circle class="mark" cx="{x}" cy="{y}" r="4.5"><title>{escape(words)}</title></circle>')
    return _svg(parts, f"Calibration: what came against what was predicted, in {len(bins)} groups")


def precision_chart(curve: Curve, base_rate: float) -> Markup:
    """Precision, upwards, against recall, across, with intervals at chosen points; guessing has the base rate."""
    line = " ".join(f"{_x(r, 1.0)},{_y(p, 1.0)}" for r, p in zip(curve.recall, curve.precision, strict=True))
    parts = [
        _frame(_SHARES, _SHARES, "recall", "precision"),
        f'<line class="guide" x1="{_x(0, 1)}" x2="{_x(1, 1)}" y1="{_y(base_rate, 1)}" y2="{_y(base_rate, 1)}"/>',
        f'<text class="note" x="{_x(0, 1) + 6}" y="{_y(base_rate, 1) + 15}">guessing {percent(base_rate)}</text>',
        f'<polyline class="line" points="{line}"/>',
    ]
    for point in curve.points:
        seen = point.precision
        x = _x(point.recall.value, 1.0)
        if seen.low is not None and seen.high is not None:
            parts.append(f'<line class="range" x1="{x}" x2="{x}" y1="{_y(seen.low, 1)}" y2="{_y(seen.high, 1)}"/>')
        words = f"acting on {percent(point.share)}: precision {figures(seen)}, recall {figures(point.recall)}"
        parts.append(
            f'<circle class="mark" cx="{x}" cy="{_y(seen.value, 1)}" r="3.5"><title>{escape(words)}</title></circle>'
        )
    return _svg(parts, "Precision against recall")


def strip(measure: Measure, low: float, high: float, *, guide: float | None = None) -> Markup:
    """One figure on a line between two ends: its interval, its value, and where another one stands."""
    spread = max(high - low, 1e-9)

    def at(value: float) -> str:
        return f"{min(max((value - low) / spread, 0.0), 1.0) * 94 + 3:.2f}%"

    parts = ['<line class="track" x1="3%" x2="97%" y1="50%" y2="50%"/>']
    if guide is not None:
        parts.append(f'<line class="guide" x1="{at(guide)}" x2="{at(guide)}" y1="8%" y2="92%"/>')
    if measure.low is not None and measure.high is not None:
        parts.append(f'<line class="range" x1="{at(measure.low)}" x2="{at(measure.high)}" y1="50%" y2="50%"/>')
    parts.append(f'<circle class="mark" cx="{at(measure.value)}" cy="50%" r="4.5"/>')
    inside = Markup("".join(parts))  # noqa: S704 - numbers only
    return Markup('<svg class="strip" aria-hidden="true" width="100%" height="22">{}</svg>').format(inside)


def ends(measures: Sequence[Measure]) -> tuple[float, float]:
    """A common scale for strips: from the lowest bound to the highest."""
    low = min([measure.value if measure.low is None else measure.low for measure in measures] or [0.0])
    high = max([measure.value if measure.high is None else measure.high for measure in measures] or [1.0])
    return low, high


def _svg(parts: Sequence[str], words: str) -> Markup:
    inside = Markup("".join(parts))  # noqa: S704 - numbers, and titles that are escaped where they are made
    return Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        words, int(_SIDE), int(_SIDE), inside
    )


def _frame(across: Sequence[str], upwards: Sequence[str], below: str, beside: str) -> str:
    parts = []
    for step, (right, up) in enumerate(zip(across, upwards, strict=True)):
        x, y = _x(step / 5, 1.0), _y(step / 5, 1.0)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_SIDE - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{up}</text>')
        parts.append(f'<text x="{x}" y="{_SIDE - _BOTTOM + 16}" text-anchor="middle">{right}</text>')
    parts.append(f'<text class="axis" x="{_LEFT + _WIDE / 2}" y="{_SIDE - 6}" text-anchor="middle">{below}</text>')
    parts.append(f'<text class="axis" x="{_LEFT + 6}" y="{_TOP + 10}">{beside}</text>')
    return "".join(parts)


def _x(value: float, top: float) -> float:
    return round(_LEFT + _WIDE * value / top, 2)


def _y(value: float, top: float) -> float:
    return round(_TOP + _HIGH * (1.0 - value / top), 2)


def _round_up(value: float) -> float:
    return next(step for step in (0.05, 0.1, 0.25, 0.5, 0.75, 1.0) if value <= step or step == 1.0)
