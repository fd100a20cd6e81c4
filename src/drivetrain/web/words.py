"""Figures and moments as people read them; every function is a filter of the templates."""

from __future__ import annotations

import math
from collections.abc import Iterable

from markupsafe import Markup

from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, Micros, datetime_of, iso, micros_of, now
from drivetrain.core.records import Measure

_NEAR = 60 * DAY
DASH = "\u2013"
"""Between two ends of a range, and where nothing is known."""

_MINUS = "\u2212"


def count(value: float | None) -> str:
    """A whole number with thousands parted.

    Example:
        >>> count(336776)
        '336,776'
    """
    return DASH if value is None else f"{value:,.0f}"


def figure(value: float | None, digits: int = 3) -> str:
    """A decimal, plainly; a dash where it is unknown.

    Example:
        >>> figure(0.46291)
        '0.463'
    """
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    text = f"{value:.{digits}f}"
    return text.replace("-", _MINUS) if float(text) else text.lstrip("-")


def number(value: float | None) -> str:
    """A figure of any size, to four digits.

    Example:
        >>> number(1234567.0), number(0.00012), number(-3.14159)
        ('1,234,567', '0.00012', '−3.142')
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"
    return text.replace("-", _MINUS)


def moment(text: str | None) -> Markup:
    """A moment given as ISO 8601, as :func:`when` tells it."""
    return when(micros_of(text) if text else None)


def span_of(low: float | str, high: float | str | None) -> str:
    """From the least value to the greatest, where these are moments or dates.

    Example:
        >>> span_of("2013-01-01T05:00:00Z", "2013-12-31")
        '1 Jan 2013 to 31 Dec 2013'
    """
    return f"{day(micros_of(str(low)))} to {day(micros_of(str(high)))}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign.

    Example:
        >>> signed(0.0123)
        '+0.012'
    """
    text = figure(value, digits)
    return f"+{text}" if value is not None and value > 0 and text != DASH else text


def share(value: float | None) -> str:
    """A share as per cent, finer where it is small.

    Example:
        >>> share(0.9712), share(0.0004)
        ('97%', '0.04%')
    """
    if value is None or not math.isfinite(value):
        return DASH
    percent = 100 * value
    if percent in {0, 100} or 1 <= percent <= 99:
        return f"{percent:.0f}%"
    return f"{percent:.2g}%" if percent < 1 else f"{min(percent, 99.9):.1f}%"


def interval(measure: Measure | None, digits: int = 3) -> str:
    """The bounds of a measure, or nothing where it has none.

    Example:
        >>> interval(Measure(0.46, 0.42, 0.5), 2)
        '0.42 to 0.50'
    """
    if measure is None or measure.low is None or measure.high is None:
        return ""
    return f"{figure(measure.low, digits)} to {figure(measure.high, digits)}"


def span(seconds: float | None) -> str:
    """A length of time in its largest fitting unit.

    Example:
        >>> span(5400), span(0.25)
        ('1.5 h', '250 ms')
    """
    if seconds is None or not math.isfinite(seconds):
        return DASH
    steps = ((1e-3, "µs", 1e6), (1, "ms", 1e3), (120, "s", 1), (7200, "min", 1 / 60), (172_800, "h", 1 / 3600))
    if 3600 <= seconds < 7200:
        return f"{seconds / 3600:.1f} h".replace(".0 h", " h")
    for below, unit, scale in steps:
        if seconds < below:
            return f"{_short(seconds * scale)} {unit}"
    return f"{_short(seconds / 86_400)} days"


def latency(micros: float | None) -> str:
    """A latency given in microseconds.

    Example:
        >>> latency(1840)
        '1.8 ms'
    """
    return DASH if not micros else span(micros / SECOND)


def size(count_of_bytes: int) -> str:
    """Bytes in kB or MB."""
    if count_of_bytes < 1_000_000:
        return f"{count_of_bytes / 1000:,.0f} kB"
    return f"{count_of_bytes / 1_000_000:,.1f} MB"


def day(micros: Micros | None) -> str:
    """A date.

    Example:
        >>> day(0)
        '1 Jan 1970'
    """
    if micros is None:
        return DASH
    moment = datetime_of(micros)
    return f"{moment.day} {moment:%b %Y}"


def days(since: Micros, until: Micros) -> str:
    """A window of time as its first and last day; ``until`` is not part of it.

    Example:
        >>> days(0, 7 * DAY).replace(DASH, "to")
        '1to7 Jan 1970'
    """
    first, last = datetime_of(since), datetime_of(max(until - 1, since))
    if first.date() == last.date():
        return day(since)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{last.day} {last:%b %Y}"
    start = f"{first.day} {first:%b}" if first.year == last.year else day(since)
    return f"{start} {DASH} {last.day} {last:%b %Y}"


def relative(micros: Micros, present: Micros | None = None) -> str:
    """How long ago, in words; a date where that was long ago.

    Example:
        >>> relative(0, present=3 * HOUR)
        '3 hours ago'
    """
    past = (now() if present is None else present) - micros
    if past < 0 or past > _NEAR:
        return day(micros)
    if past < MINUTE:
        return "just now"
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if past >= length:
            number = past // length
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return day(micros)


def when(micros: Micros | None, *, exact: bool = False) -> Markup:
    """A ``<time>`` element: relative where it is near, with the exact moment in its title."""
    if not micros:
        return Markup('<span class="none">{}</span>').format(DASH)
    text = f"{day(micros)}, {datetime_of(micros):%H:%M} UTC" if exact else relative(micros)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso(micros), iso(micros), text)


def listed(items: Iterable[str], last: str = "and") -> str:
    """Items as a sentence lists them.

    Example:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    words = list(items)
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def breakable(name: str) -> Markup:
    """A dotted name that may break after its dots."""
    return Markup(".<wbr>").join(name.split("."))


def plural(number: int, noun: str, many: str | None = None) -> str:
    """A count with its noun.

    Example:
        >>> plural(1, "alert"), plural(2, "alert")
        ('1 alert', '2 alerts')
    """
    return f"{count(number)} {noun if number == 1 else many or noun + 's'}"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"
