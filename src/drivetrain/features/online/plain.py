"""A head that most are like, read by a function written for its view.

Looking features up is the part of a request that can't be shared with others, and most of it went into what Python
does for every value: a loop, a list, a pick. So each view gets a function in which its windows stand one after the
other and its features in their order, as a person would write it for that view alone.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from drivetrain.core.clock import SECOND, Micros
from drivetrain.features.online.layout import HEAD, INLINE, LAYOUT, Layout

Plain: TypeAlias = Callable[[bytes | memoryview, Micros], tuple[tuple[Any, ...], float] | None]
"""Features and the newest event's age in seconds; none where a head is not as most are."""

_FIELDS = "<H2xIxxxxI8xqq"
"""Of HEAD: layout and flags, events, offset of what is pending, newest event, latest availability."""


def plain_reader(layout: Layout) -> Plain:
    """The function of one view; of one that is scanned, a function that knows nothing."""
    if layout.scanned:
        return lambda _row, _at: None
    lifetimes = [f"life{at}" for at in range(len(layout.lifetimes))]
    lasts = ["oldest", *(f"last{at}" for at in range(len(layout.lasts)))] if layout.lasts else []
    many = len(layout.lasts)
    numbers = f"q{many}d{8 * many}x" if many else ""
    head = struct.Struct(f"{_FIELDS}{HEAD.size - struct.calcsize(_FIELDS)}x{len(lifetimes)}d{numbers}")
    record = struct.Struct(f"<{len(layout.cells)}d")
    checks = [f"(code == {LAYOUT} or code == {LAYOUT | INLINE << 8})", "end == len(row)", "at >= known"]
    if lasts and layout.view.ttl is not None:
        checks.append(f"oldest > at - {layout.view.ttl}")
    names = ["code", "events", "end", "newest", "known", *lifetimes, *lasts]
    lines = [
        "def read(row, at):",
        f"    if len(row) < {head.size}:",
        "        return None",
        f"    {', '.join(names)} = head(row)",
    ]
    if layout.spans:
        checks.append(f"start + {record.size} * events + {record.size} <= end")
        lines.append(f"    start = {head.size} + 8 * events")
    lines += [f"    if not ({' and '.join(checks)}):", "        return None"]
    if layout.spans:
        lines.append(f"    times = memoryview(row)[{head.size}:start].cast('q')")
        lines += [
            f"    {''.join(f'cell{at}_{cell}, ' for cell in range(len(layout.cells)))} = "
            f"record(row, start + {record.size} * bisect(times, {_begin(*span)}))"
            for at, span in enumerate(layout.spans)
        ]
    lines.append(
        f"    return ({''.join(f'{told}, ' for told in _told(layout, lifetimes, lasts[1:]))}), (at - newest) / {SECOND}"
    )
    made: dict[str, Any] = {"head": head.unpack_from, "record": record.unpack_from, "bisect": bisect_right}
    exec("\n".join(lines), made)  # noqa: S102 - numbers of a layout and names made here; nothing of a request or a row
    read: Plain = made["read"]
    return read


def _begin(window: Micros, hop: Micros | None) -> str:
    return f"at - {window}" if hop is None else f"(at - {window}) // {hop} * {hop}"


def _told(layout: Layout, lifetimes: Sequence[str], lasts: Sequence[str]) -> list[str]:
    """What stands for each feature, in their order; a moment that is asked as an age is told as one."""
    cells = [f"cell{at}_{cell}" for at in range(len(layout.spans)) for cell in range(len(layout.cells))]
    placed = [*lifetimes, *cells, *lasts]
    return [
        f"(at - {placed[place]}) / {SECOND}" if at in layout.since else placed[place]
        for at, place in enumerate(layout.places)
    ]
