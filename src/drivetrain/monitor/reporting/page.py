"""A report as one page: words first, then figures; nothing in it is fetched from anywhere."""

from __future__ import annotations

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drivetrain.core.clock import iso
from drivetrain.core.records import FeatureDrift, MonitorReport
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.wording import figure, figures, micros, percent, span
from drivetrain.monitor.joint.judge import leading
from drivetrain.monitor.reporting.account import Account, bounds, held_against
from drivetrain.monitor.reporting.data_account import DataAccount
from drivetrain.monitor.reporting.data_page import data_charts, drifts_of
from drivetrain.monitor.reporting.drawing import lines
from drivetrain.monitor.reporting.lanes import ratio
from drivetrain.monitor.reporting.steps import day
from drivetrain.monitor.reporting.story import STEPS, tell
from drivetrain.monitor.reporting.timeline import drawing


def to_html(account: Account | DataAccount) -> str:
    """The report as one HTML file."""
    environment = Environment(
        loader=PackageLoader("drivetrain.monitor"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=figure, figures=figures, percent=percent, micros=micros, iso=iso)
    if isinstance(account, DataAccount):
        return environment.get_template("data.html.jinja").render(
            it=account, charts=data_charts(account), span=span, drifts=drifts_of
        )
    judged = any(account.metric in one.performance for one in account.windows)
    title = METRICS[account.metric].title if judged else ""
    story = tell(account)
    return environment.get_template("report.html.jinja").render(
        it=account,
        charts=charts(account),
        metric_title=title,
        span=span,
        worst=worst_first,
        further=further,
        held_against=held_against,
        story=story,
        timeline=drawing(story),
        step_names=STEPS,
        day=day,
        leading=leading,
    )


def to_json(account: Account | DataAccount) -> bytes:
    """The report as JSON: every figure exactly as it is on record."""
    return msgspec.json.format(msgspec.json.encode(account), indent=2) + b"\n"


def charts(account: Account) -> list[tuple[str, str, Markup]]:
    """Title, caption and drawing of each course over the windows; those without a figure are left out."""
    windows = account.windows
    times = [one.until for one in windows]
    found = [("", "", Markup(""))]
    if any(account.metric in one.performance for one in windows):
        measures = [one.performance.get(account.metric) for one in windows]
        name = METRICS[account.metric].title
        found.append(
            (
                name[:1].upper() + name[1:],
                "With the range that chance allows; dashed, what the version reached when it was evaluated.",
                lines(
                    f"{name} by window",
                    times,
                    [one.value if one else None for one in measures],
                    show=figure,
                    band=(
                        [bounds(m)[0] if m else None for m in measures],
                        [bounds(m)[1] if m else None for m in measures],
                    ),
                    guide=[_reference(one, account.metric) for one in windows],
                    words=[
                        f"{span(w.since, w.until)}: {figures(m) if m else ''}"
                        for w, m in zip(windows, measures, strict=True)
                    ],
                ),
            )
        )
    if any(one.drift for one in windows):
        found.append(
        (
            "Drift",
            "The feature that drifted furthest, in multiples of its threshold: above 1 it counts as drifted.",
            lines("Drift by window", times, [furthest(one) for one in windows], show=_times,
                  guide=[1.0] * len(times), zero=True, words=[_furthest_words(one) for one in windows]),
        )
    )  # fmt: skip
    found.append(
        (
            "Predictions",
            "How many were answered; dashed, of how many the outcome is known.",
            lines("Predictions by window", times, [float(one.predictions) for one in windows], show=_count,
                  guide=[float(one.labelled) for one in windows], zero=True),
        )
    )  # fmt: skip
    if any(one.latency_p99_us for one in windows):
        found.append(
            (
                "Time to answer",
                "99 of 100 answers took less; dashed, half of them.",
                lines("Latency by window", times, [one.latency_p99_us for one in windows], show=_pause,
                      guide=[one.latency_p50_us for one in windows], zero=True),
            )
        )  # fmt: skip
    return [one for one in found if one[2]]


def furthest(window: MonitorReport) -> float | None:
    """The largest drift of a window, in multiples of its threshold."""
    return max((ratio(one) for one in window.drift), default=None)


def worst_first(window: MonitorReport) -> list[FeatureDrift]:
    """Its features by how far they drifted."""
    return sorted(window.drift, key=lambda one: -ratio(one))


def further(window: MonitorReport) -> list[FeatureDrift]:
    """What further statistics say of its columns, the furthest first."""
    return sorted(window.further, key=lambda one: -ratio(one))


def _furthest_words(window: MonitorReport) -> str:
    if not window.drift:
        return ""
    worst = max(window.drift, key=ratio)
    return f"{span(window.since, window.until)}: {worst.feature}, {worst.statistic} {worst.value:.3f}"


def _reference(window: MonitorReport, metric: str) -> float | None:
    found = window.reference.get(metric)
    return found.value if found else None


def _times(value: float) -> str:
    return f"{value:.1f}×"


def _pause(value: float) -> str:
    return f"{value / 1000:.2g} ms" if value < 1000 else f"{value / 1000:,.1f} ms"


def _count(value: float) -> str:
    return f"{value:,.0f}"
