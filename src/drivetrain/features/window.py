"""Windows: how long they are, how they are said, and where one that moves in hops begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, duration

Window: TypeAlias = str | timedelta | int
Windows: TypeAlias = Window | Sequence[Window | None] | None
"""One window or several: ``"7d"``, a timedelta or microseconds; ``"all"`` or ``None`` is the entity's whole history."""

_UNITS = ((DAY, "d", "day"), (HOUR, "h", "hour"), (MINUTE, "m", "minute"), (SECOND, "s", "second"))


def lengths_of(windows: Windows) -> tuple[Micros | None, ...]:
    """Lengths in microseconds; ``None`` for the whole history.

    Example:
        >>> lengths_of(["1h", "all"])
        (3600000000, None)
    """
    single = windows is None or isinstance(windows, str | timedelta | int)
    listed: Sequence[Window | None] = (windows,) if single else tuple(windows)  # type: ignore[arg-type,assignment]
    return tuple(None if window is None or window == "all" else duration(window) for window in listed)


def window_text(window: Micros | None) -> str:
    """A window in a feature's name: the same for ``"24h"`` and ``"1d"``.

    Example:
        >>> window_text(7 * DAY), window_text(90 * MINUTE), window_text(None)
        ('7d', '1h30m', 'all')
    """
    if window is None:
        return "all"
    text = ""
    for unit, letter, _ in _UNITS:
        amount, window = divmod(window, unit)
        text += f"{amount}{letter}" if amount else ""
    return text + (f"{window}us" if window else "")


def window_words(window: Micros) -> str:
    """A window in words.

    Example:
        >>> window_words(7 * DAY), window_words(90 * MINUTE)
        ('7 days', '1 hour 30 minutes')
    """
    parts = []
    for unit, _, word in _UNITS:
        amount, window = divmod(window, unit)
        if amount:
            parts.append(f"{amount} {word}{'s' if amount > 1 else ''}")
    if window:
        parts.append(f"{window} microseconds")
    return " ".join(parts)
