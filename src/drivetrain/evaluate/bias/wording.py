"""What a report on bias in the data comes to, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from drivetrain.core.records import BiasGroup, BiasReport, Measure
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.wording import percent

MOST = 4
"""Sentences of a kind; what is left is counted."""


def findings(report: BiasReport) -> list[str]:
    """The differences that luck does not explain, the widest of each kind first; of none, that there is none."""
    said = _first(
        "is not as common as declared",
        [(group.beyond, _commonness(group)) for group in report.groups if sure(group.beyond)],
    )
    rates = _first(
        "has another label rate than everybody else",
        [(group.gap, _rate(group)) for group in report.groups if sure(group.gap)],
    )
    if not rates and report.positives is not None:
        rates = ["No group's label rate differs from everybody else's by more than luck explains."]
    gaps = [
        (gap.gap, _missing(group, gap.feature, gap.share, gap.gap)) for group in report.groups for gap in group.missing
    ]
    return [*said, *rates, *_first("lacks a feature oftener or less often than everybody else", gaps)]


def points(difference: Measure) -> str:
    """A difference of shares with its bounds, in percentage points.

    Example:
        >>> points(Measure(0.083, 0.041, 0.127))
        '+8.3 points (+4.1 to +12.7)'
    """
    if difference.low is None or difference.high is None:
        return f"{_point(difference.value)} points"
    return f"{_point(difference.value)} points ({_point(difference.low)} to {_point(difference.high)})"


def labelled(feature: str) -> str:
    """A column by the name that people know it by.

    Example:
        >>> labelled("_label"), labelled("plane.age")
        ('the label', 'plane.age')
    """
    return "the label" if feature == "_label" else feature


def counted_as(report: BiasReport) -> str:
    """What the intervals take for granted, a sentence."""
    alone = "each row counts for itself, as there are too few days to tell how alike the rows of a day are"
    shared = "rows of a day are taken to share their luck"
    many = ", ".join(f"{number} of {kind}" for kind, number in report.compared.items() if number)
    together = f" Differences hold all together, {many}." if many else ""
    return f"{100 * report.level:.0f} % intervals; {shared if report.block == 'day' else alone}.{together}"


def _first(what: str, told: Iterable[tuple[Measure | None, str]]) -> list[str]:
    ranked = [words for measure, words in sorted(told, key=lambda each: -abs(each[0].value if each[0] else 0.0))]
    left = len(ranked) - MOST
    return [*ranked[:MOST], *([f"And {left} more: a group that {what}."] if left > 0 else [])]


def _commonness(group: BiasGroup) -> str:
    assert group.beyond is not None
    assert group.expected is not None
    shares = f"{percent(group.share.value)} of the rows where {percent(group.expected)} are declared"
    return f"{_who(group)}: {shares}, {points(group.beyond)}."


def _rate(group: BiasGroup) -> str:
    assert group.rate is not None
    assert group.gap is not None
    return f"{_who(group)}: {percent(group.rate.value)} positive, {points(group.gap)} against everybody else."


def _missing(group: BiasGroup, feature: str, share: Measure, gap: Measure) -> str:
    share_of = f"{labelled(feature)} is missing in {percent(share.value)}"
    return f"{_who(group)}: {share_of}, {points(gap)} against everybody else."


def _who(group: BiasGroup) -> str:
    return ", ".join(f"{attribute} {value}" for attribute, value in group.attributes.items())


def _point(value: float) -> str:
    return f"{100 * value:+.1f}"
