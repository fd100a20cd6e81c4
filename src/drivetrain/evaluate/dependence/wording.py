"""Partial dependence in sentences."""

from __future__ import annotations

from drivetrain.core.records import Dependence, DependenceReport
from drivetrain.evaluate.wording import percent

_TOLD = 5


def goes_with(report: DependenceReport) -> list[str]:
    """What moved the answers, then how they go with each feature, a sentence each."""
    return [*_moved(report), *(_sentence(each) for each in report.features)]


def _moved(report: DependenceReport) -> list[str]:
    if not report.moved:
        return []
    first = [f"{name} ({percent(share)})" for name, share in list(report.moved.items())[:_TOLD]]
    return [f"What moved the answers to single rows, on average: {', '.join(first)} (SHAP importance)."]


def _sentence(found: Dependence) -> str:
    first, last = found.points[0], found.points[-1]
    low = min(found.points, key=lambda point: point.said.value)
    high = max(found.points, key=lambda point: point.said.value)
    if not found.number:
        return (
            f"With {found.feature}, the mean answer lies between {percent(low.said.value)} ({low.value}) and "
            f"{percent(high.said.value)} ({high.value})."
        )
    ends = f"from {percent(first.said.value)} at {first.value} to {percent(last.said.value)} at {last.value}"
    turn = "" if {low, high} == {first, last} else f", with its highest, {percent(high.said.value)}, at {high.value}"
    few = min(found.points, key=lambda point: point.near)
    thin = f"; hardly a row lies near {few.value}" if few.near < 0.01 else ""
    return f"As {found.feature} grows, the mean answer goes {ends}{turn}{thin}."
