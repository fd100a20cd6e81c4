"""For whom the answers are worse, in sentences for somebody who has to decide."""

from __future__ import annotations

from drivetrain.core.records import Disparity, FairnessGroup, FairnessReport, Measure
from drivetrain.evaluate.parity import FALSE_POSITIVE, PRECISION, SELECTION, TRUE_POSITIVE

MOST = 8
"""Sentences on gaps that are told; what is left is counted."""

_ASKED = {
    "equal_opportunity_difference": TRUE_POSITIVE,
    "false_positive_rate_difference": FALSE_POSITIVE,
    "predictive_parity_difference": PRECISION,
    "demographic_parity_difference": SELECTION,
}
"""Disparities that sentences are made of, in the order of what hurts most."""


def worse_for(report: FairnessReport) -> list[str]:
    """The gaps that luck does not explain, those of single attributes first; where there is none, that there is none.

    An intersection is told of only where neither of its attributes alone shows the gap.
    """
    told, seen = [], set()
    for found in sorted(report.disparities, key=lambda each: len(each.attributes)):
        if found.metric not in _ASKED or not sure(found):
            continue
        if any((found.metric, attribute) in seen for attribute in found.attributes):
            continue
        if len(found.attributes) == 1:
            seen.add((found.metric, found.attributes[0]))
        told.append(found)
    told.sort(key=lambda each: (len(each.attributes), list(_ASKED).index(each.metric)))
    left = len(told) - MOST
    return [
        *(_sentence(report, each) for each in told[:MOST]),
        *([f"{left} more gaps are surely there."] if left > 0 else []),
        *(_even(report, attribute) for attribute in report.protected if not any(attribute == key for _, key in seen)),
        *_small(report),
    ]


def sure(found: Disparity) -> bool:
    """Whether luck does not explain a gap: a difference above 0, a ratio below 1."""
    if found.metric.endswith("_ratio"):
        return found.value.high is not None and found.value.high < 1.0
    return found.value.low is not None and found.value.low > 0.0


def threshold_words(report: FairnessReport) -> str:
    """What being acted on means, a sentence."""
    return (
        f"Acted on means predicted at {report.threshold:.3g} or above, which {report.chosen}: "
        f"{sum(_acted(report)):,} of {report.rows:,} rows."
    )


def how_sure(report: FairnessReport) -> str:
    """What the intervals take for granted, a sentence."""
    return (
        f"{100 * report.level:.0f} % intervals from resamples that draw each {report.block} whole. That of a gap holds "
        f"for the widest one, whichever groups it lies between. A group of fewer than {report.least} rows, and a rate "
        f"that rests on fewer than {report.least_of}, are not told."
    )


def rate_of(report: FairnessReport, attributes: tuple[str, ...], group: str, rate: str) -> Measure | None:
    """A group's rate, by the group's name."""
    found = next((each for each in report.groups if tuple(each.attributes) == attributes and each.name == group), None)
    return None if found is None else found.rates.get(rate)


def who(attributes: tuple[str, ...], group: str) -> str:
    """A group as a person would say it.

    Example:
        >>> who(("sex", "region"), "F, north")
        'sex F, region north'
    """
    values = group.split(", ") if len(attributes) > 1 else [group]
    if len(values) != len(attributes):  # a value with a comma of its own
        return f"{' × '.join(attributes)} {group}"
    return ", ".join(f"{attribute} {value}" for attribute, value in zip(attributes, values, strict=True))


def hundredths(report: FairnessReport, found: Disparity) -> tuple[str, str]:
    """Both groups' rates, of a hundred."""
    pair = (rate_of(report, found.attributes, name, found.rate) for name in (found.low_group, found.high_group))
    low, high = (f"{100 * rate.value:.0f}" if rate is not None else "?" for rate in pair)
    return low, high


def _sentence(report: FairnessReport, found: Disparity) -> str:
    low, high = who(found.attributes, found.low_group), who(found.attributes, found.high_group)
    less, more = hundredths(report, found)
    words = {
        TRUE_POSITIVE: f"It misses more for {low}: of 100 that come true it catches {less}, against {more} for {high}.",
        FALSE_POSITIVE: f"False alarms are commoner for {high}: of 100 that do not come true it acts on {more}, "
        f"against {less} for {low}.",
        PRECISION: f"When it acts it is right less often for {low}: {less} times of 100, against {more} for {high}.",
        SELECTION: f"It acts more often on {high}: on {more} of 100, against {less} for {low}.",
    }[found.rate]
    return f"{words} {_gap(found.value)}"


def _gap(value: Measure) -> str:
    points = f"The gap is {100 * value.value:.0f} points"
    if value.low is None or value.high is None:
        return f"{points}."
    return f"{points}, and with luck taken into account {100 * value.low:.0f} to {100 * min(value.high, 1.0):.0f}."


def _even(report: FairnessReport, attribute: str) -> str:
    gaps = [each for each in report.disparities if each.attributes == (attribute,) and each.metric in _ASKED]
    caught = next((each for each in gaps if each.metric == "equal_opportunity_difference"), None)
    if not gaps:
        return f"By {attribute} nothing can be compared: fewer than two groups are large enough."
    if all(each.value.low is None for each in gaps):
        return f"By {attribute} luck can't be told from gaps: the rows span too few days."
    if caught is None or caught.value.high is None:
        return f"By {attribute} no gap is beyond what luck explains; of what is caught too little is known to compare."
    return (
        f"By {attribute} no gap is beyond what luck explains; in what is caught the widest seen is "
        f"{100 * caught.value.value:.0f} points, and it could be {100 * min(caught.value.high, 1.0):.0f}."
    )


def _small(report: FairnessReport) -> list[str]:
    small = [each for each in report.groups if len(each.attributes) == 1 and not each.rates]
    if not small:
        return []
    names = ", ".join(f"{who(tuple(each.attributes), each.name)} ({each.rows:,})" for each in small[:6])
    more = f" and {len(small) - 6} more" if len(small) > 6 else ""
    return [f"Too few rows to say anything of {names}{more}."]


def _acted(report: FairnessReport) -> list[int]:
    first: list[FairnessGroup] = [each for each in report.groups if list(each.attributes) == [report.protected[0]]]
    return [each.selected for each in first]
