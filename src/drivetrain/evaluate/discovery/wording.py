"""Slices that were found, in sentences."""

from __future__ import annotations

from drivetrain.core.records import Discovery, FoundSlice
from drivetrain.evaluate.wording import percent

MOST = 6


def discoveries(report: Discovery) -> list[str]:
    """What was found, the most harmful first; of nothing, that nothing was, or could be."""
    if report.unable:
        return [f"No groups were searched for: {report.unable}."]
    if not report.found:
        return [
            f"No group of rows was found in which it is worse than it says; {report.looked_at:,} were looked at, told "
            f"apart by {len(report.columns)} columns, alone and in pairs."
        ]
    left = len(report.found) - MOST
    return [*map(sentence, report.found[:MOST]), *([f"And {left} more such groups."] if left > 0 else [])]


def sentence(found: FoundSlice) -> str:
    """One slice."""
    where = f"Where {found.name} ({percent(found.share)} of the rows)"
    if found.what == "too sure":
        sure = f"by {found.worse.value:.3f}, at least {max(found.worse.low or 0.0, 0.0):.3f}"
        return (
            f"{where} it is less right than it sounds: its squared error is {found.error:.3f}, where its own "
            f"percentages promise {found.promised:.3f}; that is worse than elsewhere {sure}."
        )
    came = percent(found.observed.value)
    if found.observed.low is not None and found.observed.high is not None:
        came += f" ({percent(found.observed.low)} to {percent(found.observed.high)})"
    said = f"on average it said {percent(found.predicted)}, and {came} came true"
    return f"{where} its percentages are {found.what}: {said}."


def how_found(report: Discovery) -> str:
    """What the search was, a sentence."""
    out = f" Not searched, as personal: {', '.join(report.left_out)}." if report.left_out else ""
    return (
        f"Half of the test days were searched: {report.looked_at:,} groups by {len(report.columns)} columns, alone and "
        f"in pairs. The {report.judged} worst were judged on the other half, which every figure is of; with "
        f"{100 * report.level:.0f} % nothing is claimed where there is nothing.{out}"
    )
