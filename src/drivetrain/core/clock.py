"""Time: whole microseconds since 1970-01-01 UTC, and durations such as ``7d``."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from drivetrain.core.errors import UsageError

Micros: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z, or a duration in microseconds."""

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR
WEEK: Micros = 7 * DAY

_UNITS = {
    "us": 1,
    "ms": 1_000,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": WEEK,
}
_PART = re.compile(r"(\d+)(us|ms|s|m|h|d|w)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> Micros:
    """The present moment."""
    return time.time_ns() // 1_000


def duration(text: str | timedelta | int) -> Micros:
    """Reads a duration.

    Args:
        text: ``"7d"``, ``"1h30m"``, ``"250ms"``, a timedelta, or microseconds as they are.

    Returns:
        Microseconds, zero or more.

    Raises:
        UsageError: The text is no duration, or it is negative.

    Example:
        >>> duration("1h30m") // MINUTE
        90
    """
    if isinstance(text, int):
        micros = text
    elif isinstance(text, timedelta):
        micros = text // timedelta(microseconds=1)
    else:
        compact = text.replace(" ", "")
        parts = list(_PART.finditer(compact))
        if not parts or "".join(part.group(0) for part in parts) != compact:
            raise UsageError("not a duration", found=repr(text), expected="a number with s, m, h, d or w, such as '7d'")
        micros = sum(int(part.group(1)) * _UNITS[part.group(2)] for part in parts)
    if micros < 0:
        raise UsageError("a duration can't be negative", found=repr(text))
    return micros


def show_duration(micros: Micros) -> str:
    """The shortest text that :func:`duration` reads back.

    Example:
        >>> show_duration(90 * MINUTE)
        '1h30m'
    """
    if micros == 0:
        return "0s"
    text = ""
    for unit in ("w", "d", "h", "m", "s", "ms", "us"):
        if unit == "w" and micros % WEEK:
            continue
        count, micros = divmod(micros, _UNITS[unit])
        if count:
            text += f"{count}{unit}"
    return text


def micros_of(moment: datetime | str | Micros) -> Micros:
    """A moment as microseconds.

    Args:
        moment: An aware datetime, ISO 8601 text (a date alone is its midnight; no zone means UTC), or microseconds.

    Raises:
        UsageError: The text is no moment, or the datetime has no zone.
    """
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        try:
            parsed = datetime.fromisoformat(moment)
        except ValueError:
            raise UsageError(
                "not a moment in time", found=repr(moment), expected="ISO 8601, such as 2013-07-01T09:30:00Z"
            ) from None
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise UsageError("a moment without a time zone", found=moment, expected="an aware datetime")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def datetime_of(micros: Micros) -> datetime:
    """The aware UTC datetime of a moment."""
    return _EPOCH + timedelta(microseconds=micros)


def iso(micros: Micros) -> str:
    """ISO 8601 in UTC, to the second unless the moment is finer.

    Example:
        >>> iso(0)
        '1970-01-01T00:00:00Z'
    """
    return datetime_of(micros).isoformat().replace("+00:00", "Z")
