"""A drawing as wide as its place: times are shares of the width, heights are pixels, so that texts keep their size.

It holds no script and no colour; what a class looks like is the page's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from markupsafe import Markup, escape

from drivetrain.core.clock import DAY, Micros, datetime_of, micros_of

_LEFT, _WIDE = 0.5, 99.0
_MOST_TICKS = 6

MARKS = {
    "dot": '<circle r="4.5"/>',
    "ring": '<circle r="4"/>',
    "cross": '<path d="M-4,-4L4,4M-4,4L4,-4"/>',
    "diamond": '<path d="M0,-5.5L5.5,0L0,5.5L-5.5,0Z"/>',
    "up": '<path d="M0,-5L5.5,4.5L-5.5,4.5Z"/>',
}


class Canvas:
    """Collects shapes from above to below.

    Args:
        since: Start of the axis.
        until: Its end.
    """

    def __init__(self, since: Micros, until: Micros) -> None:
        self.since, self.until = since, max(until, since + 1)
        self.y = 0.0
        self._bands: list[tuple[float, float, str]] = []
        self._behind: list[str] = []
        self._parts: list[str] = []

    def x(self, at: Micros) -> float:
        """A moment as a share of the width, in percent; one outside of the axis lies on its edge."""
        inside = min(max(at, self.since), self.until)
        return round(_LEFT + _WIDE * (inside - self.since) / (self.until - self.since), 2)

    def text(self, at: float, y: float, words: str, kind: str = "", *, shift: float = 0.0, end: bool = False) -> None:
        """Words beginning, or ending, at a share of the width."""
        anchor = ' text-anchor="end"' if end else ""
        moved = f' dx="{-shift if end else shift}"' if shift else ""
        self._parts.append(f'<text x="{at}%" y="{y}"{moved}{anchor}{_kind(kind)}>{escape(words)}</text>')

    def bar(self, since: Micros, until: Micros, box: tuple[float, float], kind: str, title: str = "") -> None:
        """A box over a stretch of time; ``box`` is its top and its height."""
        left, right = self.x(since), self.x(until)
        width = round(max(right - left, 0.35), 2)
        spot = f'x="{left}%" y="{box[0]}" width="{width}%" height="{box[1]}"'
        self._parts.append(f"<rect {spot}{_kind(kind)}>{_titled(title)}</rect>")

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str, title: str = "") -> None:
        """A straight line between two places, each a share of the width and a height."""
        self._parts.append(_line(start, end, kind, title))

    def mark(self, at: float, y: float, shape: str, kind: str, title: str = "", *, shift: float = 0.0) -> None:
        """A small shape of :data:`MARKS` that keeps its size."""
        self._parts.append(
            f'<svg x="{at}%" y="{y}" width="1" height="1" overflow="visible"><g class="mark {kind}"'
            f"{f' transform={chr(34)}translate({shift},0){chr(34)}' if shift else ''}>"
            f"{_titled(title)}{MARKS[shape]}</g></svg>"
        )

    def behind(self, since: Micros, until: Micros, kind: str) -> None:
        """A stretch of time behind everything, from the top to the bottom."""
        left, right = self.x(since), self.x(until)
        self._bands.append((left, round(max(right - left, 0.2), 2), kind))

    def across(self, at: Micros, top: float, kind: str, title: str) -> None:
        """A line at a moment behind everything, from ``top`` down to where the drawing has come."""
        self._behind.append(_line((self.x(at), top), (self.x(at), self.y), kind, title))

    def axis(self) -> None:
        """Days or months along the bottom."""
        y = self.y
        self.line((_LEFT, y), (_LEFT + _WIDE, y), "grid")
        for at, words in _ticks(self.since, self.until):
            place = self.x(at)
            self.line((place, y), (place, y + 5), "grid")
            self.text(place, y + 17, words, "tick", end=place > 88)
        self.y += 22

    def drawn(self, title: str, description: str, name: str) -> Markup:
        """The drawing; ``name`` makes its ids differ from those of others on the page."""
        height = str(int(self.y + 0.5))
        bands = [
            f'<rect x="{left}%" y="0" width="{width}%" height="{height}"{_kind(kind)}/>'
            for left, width, kind in self._bands
        ]
        inside = "".join([*bands, *self._behind, *self._parts])
        body = Markup(inside)  # noqa: S704 - numbers, and texts that are escaped where they are put in
        return Markup(
            '<svg class="lanes" role="img" aria-labelledby="{name}-title {name}-words" width="100%" height="{height}">'
            '<title id="{name}-title">{title}</title><desc id="{name}-words">{words}</desc>{body}</svg>'
        ).format(name=name, height=height, title=title, words=description, body=body)


def _line(start: tuple[float, float], end: tuple[float, float], kind: str, title: str) -> str:
    spot = f'x1="{start[0]}%" y1="{start[1]}" x2="{end[0]}%" y2="{end[1]}"'
    return f"<line {spot}{_kind(kind)}>{_titled(title)}</line>"


def _kind(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _titled(title: str) -> str:
    return f"<title>{escape(title)}</title>" if title else ""


def _ticks(since: Micros, until: Micros) -> Iterator[tuple[Micros, str]]:
    """Moments to name: days where the axis is short, else firsts of months."""
    days = (until - since) / DAY
    step = next((one for one in (1, 2, 7, 14) if days / one <= _MOST_TICKS), None)
    if step is not None:
        at = -(-since // DAY) * DAY
        while at <= until:
            moment = datetime_of(at)
            yield at, f"{moment.day} {moment:%b}"
            at += step * DAY
        return
    months = next((one for one in (1, 2, 3, 6, 12, 24, 60) if days / (30.4 * one) <= _MOST_TICKS + 0.5), 120)
    first = datetime_of(since)
    place = first.year * 12 + first.month - 1
    named = 0
    while True:
        at = micros_of(datetime(place // 12, place % 12 + 1, 1, tzinfo=UTC))
        if at > until:
            return
        if at >= since:
            year = "" if named == place // 12 else f" {place // 12}"
            named = place // 12
            yield at, f"{datetime_of(at):%b}{year}"
        place += 1
        while place % months:
            place += 1
