"""Figures as people read them: two or three digits that matter, the interval in brackets, dates in words."""

from __future__ import annotations

from drivetrain.core.clock import DAY, Micros, datetime_of
from drivetrain.core.records import Measure

DASH = "\u2013"
"""The dash of a range."""


def figure(value: float, *, sign: bool = False) -> str:
    """A metric to three decimals.

    Example:
        >>> figure(0.4519), figure(0.02, sign=True)
        ('0.452', '+0.020')
    """
    return f"{value:+.3f}" if sign else f"{value:.3f}"


def figures(measure: Measure, *, sign: bool = False) -> str:
    """A metric with its interval.

    Example:
        >>> figures(Measure(0.452, 0.421, 0.483, 28_000))
        '0.452 [0.421, 0.483]'
    """
    value = figure(measure.value, sign=sign)
    if measure.low is None or measure.high is None:
        return value
    return f"{value} [{figure(measure.low, sign=sign)}, {figure(measure.high, sign=sign)}]"


def percent(share: float) -> str:
    """A share as a percentage of two digits.

    Example:
        >>> percent(0.312), percent(0.05), percent(0.0042)
        ('31 %', '5 %', '0.42 %')
    """
    if 0 < share < 0.0001:
        return "under 0.01 %"
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.0995 else f"{100 * share:.2g} %"


def apart(difference: float | None) -> str:
    """How far two answers lie apart, to one digit; a dash where it is not known.

    Example:
        >>> apart(0.0), apart(2.6e-07), apart(0.04)
        ('none', '3e-07', '0.04')
    """
    if difference is None:
        return DASH
    return f"{difference:.1g}" if difference else "none"


def micros(time: float | None) -> str:
    """Microseconds, to the digits that matter; a dash where they are not known.

    Example:
        >>> micros(7.66), micros(909.8), micros(11936.6)
        ('7.7 µs', '910 µs', '11.9 ms')
    """
    if time is None:
        return DASH
    if time >= 9_999.5:
        return f"{time / 1000:.1f} ms"
    return f"{time:.1f} µs" if time < 99.95 else f"{time:.0f} µs"


def size(count: int) -> str:
    """Bytes.

    Example:
        >>> size(812), size(150_587), size(2_480_000)
        ('812 B', '151 kB', '2.5 MB')
    """
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"


def span(since: Micros, until: Micros) -> str:
    """A stretch of time in words, UTC; the end is outside it.

    Example:
        >>> from drivetrain.core.clock import micros_of
        >>> span(micros_of("2013-07-15"), micros_of("2013-07-22")).replace(DASH, "-")
        '15-21 July 2013'
    """
    first, last = datetime_of(since), datetime_of(max(until - 1, since))
    if until - since < DAY and first.date() == last.date():
        return f"{first:%H:%M}{DASH}{datetime_of(until):%H:%M} UTC on {first.day} {first:%B %Y}"
    if first.date() == last.date():
        return f"{first.day} {first:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{last.day} {last:%B %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%B} {DASH} {last.day} {last:%B %Y}"
    return f"{first.day} {first:%B %Y} {DASH} {last.day} {last:%B %Y}"
