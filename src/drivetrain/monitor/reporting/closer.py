"""Sentences on worth, groups, segments and reasons of the newest window that tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core.records import MonitorReport
from drivetrain.evaluate.parity import disparity_of
from drivetrain.evaluate.wording import figures, percent
from drivetrain.monitor.worth.measuring import amounts


def closer_sentences(windows: Sequence[MonitorReport]) -> list[str]:
    """What a person needs to know of each; what no window tells of is left out.

    Args:
        windows: Oldest first.
    """
    makers = (_worth, _groups, _reasons)
    return [words for make in makers if (words := next((one for each in reversed(windows) if (one := make(each))), ""))]


def _worth(window: MonitorReport) -> str:
    seen = window.worth
    if seen is None:
        return ""
    if seen.now is None:
        return f"What {seen.name} answers brought is not known: {seen.note}." if seen.note else ""
    then = f", {amounts(seen.then, seen.unit)} when v{window.version} was evaluated" if seen.then else ""
    return f"{seen.name[:1].upper()}{seen.name[1:]} of {seen.per:,} answers was {amounts(seen.now, seen.unit)}{then}."


def _groups(window: MonitorReport) -> str:
    seen = window.groups
    if seen is None or not seen.disparities:
        return ""
    widest = max(
        (one for one in seen.disparities if disparity_of(one.metric).kind == "difference"),
        key=lambda one: (len(one.attributes) == 1, one.value.value),
        default=None,
    )
    if widest is None:
        return ""
    title = disparity_of(widest.metric).title
    return (
        f"Groups lie farthest apart by {widest.column}: {title} {figures(widest.value)}, "
        f"between {widest.low_group} and {widest.high_group}."
    )


def _reasons(window: MonitorReport) -> str:
    seen = window.attribution
    if seen is None or not seen.rows:
        return ""
    verdict = "more than chance explains" if seen.drifted else "as much as chance explains"
    return f"{percent(seen.value)} of what moves the answers is another feature's than when evaluated, {verdict}."
