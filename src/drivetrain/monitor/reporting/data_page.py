"""The courses that a report of a table or feature view draws."""

from __future__ import annotations

from markupsafe import Markup

from drivetrain.core.records import DataReport, FeatureDrift
from drivetrain.evaluate.wording import percent, span
from drivetrain.monitor.reporting.data_account import DataAccount
from drivetrain.monitor.reporting.drawing import lines


def data_charts(account: DataAccount) -> list[tuple[str, str, Markup]]:
    """Title, caption and drawing of each course over the windows; those without a figure are left out."""
    windows = account.windows
    times = [one.until for one in windows]
    when = [span(one.since, one.until) for one in windows]
    volumes = [None if one.volume is None else one.volume.value for one in windows]
    usual = [None if one.volume is None else one.volume.middle for one in windows]
    empty = [max((each.nulls.value for each in one.columns), default=None) for one in windows]
    far = [max(map(_ratio, one.drift), default=None) for one in windows]
    return [
        found
        for found in (
            (
                "Entities" if account.endpoint.startswith("features:") else "Rows",
                "Dashed, what such windows had before.",
                lines(
                    "Rows by window", times, volumes, show=_count, guide=usual, zero=True, words=_said(when, volumes)
                ),
            ),
            (
                "Empty",
                "The column that most often has no value.",
                lines("Nulls by window", times, empty, show=percent, zero=True),
            ),
            (
                "Drift",
                "The column that drifted furthest, in multiples of its threshold: above 1 it counts as drifted.",
                lines("Drift by window", times, far, show=_times, guide=[1.0] * len(times), zero=True),
            ),
        )
        if found[2]
    ]


def drifts_of(window: DataReport) -> dict[str, FeatureDrift]:
    """Column → its drift."""
    return {one.feature: one for one in window.drift}


def _ratio(one: FeatureDrift) -> float:
    return one.value / one.threshold if one.threshold > 0 else float(one.drifted)


def _said(when: list[str], values: list[float | None]) -> list[str]:
    return [f"{at}: {0 if value is None else value:,.0f}" for at, value in zip(when, values, strict=True)]


def _times(value: float) -> str:
    return f"{value:.1f}×"


def _count(value: float) -> str:
    return f"{value:,.0f}"
