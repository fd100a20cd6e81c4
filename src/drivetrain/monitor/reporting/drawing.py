"""Lines over time as inline SVG, without script or address; colours come from the page's style."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from drivetrain.core.clock import Micros, datetime_of

WIDTH, HEIGHT = 640.0, 220.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 78.0, 12.0, 12.0, 28.0
_WIDE, _HIGH = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM

Values = Sequence[float | None]


def lines(
    title: str,
    times: Sequence[Micros],
    values: Values,
    *,
    show: Callable[[float], str],
    band: tuple[Values, Values] | None = None,
    guide: Values | None = None,
    zero: bool = False,
    words: Sequence[str] = (),
) -> Markup:
    """A line with a mark a window.

    Args:
        title: What it shows, for those who hear it.
        times: End of each window.
        values: What to draw; a window without one is a gap.
        show: A value as the axis says it.
        band: Low and high ends of each value's interval.
        guide: What it is held against.
        zero: Whether the axis begins at nought.
        words: What each mark says.
    """
    ends = [*values, *(guide or ()), *((*band[0], *band[1]) if band else ())]
    known = [value for value in ends if value is not None and math.isfinite(value)]
    if not known:
        return Markup("")
    low, high = (0.0 if zero else min(known)), max(known)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    frame = _Frame(len(times), low if zero else low - room, high + room)
    parts = [*_axes(frame, times, show), *_band(frame, band)]
    for kind, found in (("guide", guide or ()), ("line", values)):
        for run in _runs(found):
            points = " ".join(f"{frame.x(place)},{frame.y(value)}" for place, value in run)
            parts.append(f'<polyline class="{kind}" points="{points}" fill="none"/>')
    for place, value in enumerate(values):
        if value is not None:
            said = escape(words[place] if words else show(value))
            spot = f'cx="{frame.x(place)}" cy="{frame.y(value)}" r="3.5"'
            parts.append(f'<circle class="mark" {spot}><title>{said}</title></circle>')
    inside = Markup("".join(parts))  # noqa: S704 - numbers, and texts that are escaped where they are put in
    return Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        title, int(WIDTH), int(HEIGHT), inside
    )


class _Frame(NamedTuple):
    """Where a window and a value lie."""

    windows: int
    low: float
    high: float

    def x(self, place: int) -> float:
        return round(_LEFT + (_WIDE / 2 if self.windows == 1 else _WIDE * place / (self.windows - 1)), 1)

    def y(self, value: float) -> float:
        return round(_TOP + _HIGH * (1 - (value - self.low) / (self.high - self.low)), 1)


def _axes(frame: _Frame, times: Sequence[Micros], show: Callable[[float], str]) -> Iterator[str]:
    for step in range(4):
        value = frame.low + (frame.high - frame.low) * step / 3
        y = frame.y(value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(show(value))}</text>'
    last = len(times) - 1
    for place in sorted({0, last}):
        moment = datetime_of(times[place])
        anchor = "middle" if last == 0 else "start" if place == 0 else "end"
        yield f'<text x="{frame.x(place)}" y="{HEIGHT - 8}" text-anchor="{anchor}">{moment.day} {moment:%b %Y}</text>'


def _band(frame: _Frame, band: tuple[Values, Values] | None) -> Iterator[str]:
    for place, (bottom, top) in enumerate(zip(*band, strict=True) if band else ()):
        if bottom is not None and top is not None:
            x = frame.x(place)
            yield f'<line class="range" x1="{x}" x2="{x}" y1="{frame.y(bottom)}" y2="{frame.y(top)}"/>'


def _runs(values: Values) -> list[list[tuple[int, float]]]:
    """Stretches without a gap."""
    found: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((place, value))
    return [run for run in found if len(run) > 1]
