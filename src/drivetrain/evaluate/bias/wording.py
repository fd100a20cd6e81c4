"""What a report on bias in the data comes to, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from drivetrain.core.records import BiasGroup, BiasReport, Measure, MissingGap
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.wording import percent

MOST = 4
"""Sentences of a kind; what is left is counted."""

_Told: TypeAlias = tuple[BiasGroup, Measure, str, str]
"""A group, how it differs, in what, and that in words."""


def findings(report: BiasReport) -> list[str]:
    """The differences that luck does not explain, of each kind the widest first; of none, that there is none.

    An intersection is told of where none of its attributes alone differs in the same direction.
    """
    groups = report.groups
    common = [(one, one.beyond, "", _commonness(one)) for one in groups if one.beyond and sure(one.beyond)]
    rates = [(one, one.gap, "", _rate(one)) for one in groups if one.gap and sure(one.gap)]
    gaps = [
        (one, each.gap, each.feature, _missing(one, each))
        for one in groups
        for each in one.missing
        if each.gap.value > 0
    ]
    none = ["No group's label rate differs from the others' by more than luck explains."]
    return [
        *_first(common, "are not as common as declared"),
        *(_first(rates, "have another label rate than the others") or (none if report.compared["label rate"] else [])),
        *_first(gaps, "lack a feature oftener than the others"),
    ]


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


def _first(told: Sequence[_Told], rest: str) -> list[str]:
    """The widest differences, those of a single attribute before those of several that no single one explains."""
    single = {
        (next(iter(group.attributes.items())), what, gap.value > 0) for group, gap, what, _ in told if group.alone
    }
    news = [
        (group, gap, words)
        for group, gap, what, words in told
        if group.alone or not any((item, what, gap.value > 0) in single for item in group.attributes.items())
    ]
    ranked = sorted(news, key=lambda each: (len(each[0].attributes), -abs(each[1].value)))
    left = {group.name for group, *_ in ranked[MOST:]}
    more = f"{len(left)} more groups {rest}." if len(left) > 1 else f"One more group: {min(left, default='')}."
    return [*(words for *_, words in ranked[:MOST]), *([more] if left else [])]


def _commonness(group: BiasGroup) -> str:
    assert group.beyond is not None
    assert group.expected is not None
    shares = f"{percent(group.share.value)} of the rows where {percent(group.expected)} are declared"
    return f"{_who(group)}: {shares}, {points(group.beyond)}."


def _rate(group: BiasGroup) -> str:
    assert group.rate is not None
    assert group.gap is not None
    return f"{_who(group)}: {percent(group.rate.value)} positive, {points(group.gap)} against the others."


def _missing(group: BiasGroup, found: MissingGap) -> str:
    lacks = f"{labelled(found.feature)} is missing in {percent(found.share.value)}"
    return f"{_who(group)}: {lacks}, {points(found.gap)} against the others."


def _who(group: BiasGroup) -> str:
    return ", ".join(f"{attribute} {value}" for attribute, value in group.attributes.items())


def _point(value: float) -> str:
    return f"{100 * value:+.1f}"
