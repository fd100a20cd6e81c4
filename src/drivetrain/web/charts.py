"""Charts over time: what the page draws with uPlot, and the same figures as a table for whoever can't see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.records import Measure, MonitorReport
from drivetrain.web import words
from drivetrain.web.glossary import label, spoken
from drivetrain.web.picture import Picture
from drivetrain.web.story import Chapter, decided, tell

Role = Literal["line", "low", "high", "reference", "points", "faint"]


class Series(msgspec.Struct, frozen=True):
    """Values over a chart's windows; none where there is nothing to draw."""

    label: str
    values: tuple[float | None, ...]
    role: Role = "line"


class Mark(msgspec.Struct, frozen=True):
    """A moment worth a line across the chart."""

    at: Micros
    label: str
    tone: str


class Chart(msgspec.Struct, frozen=True):
    """A chart, the sentence that says what it shows, and its figures as rows of text."""

    id: str
    title: str
    caption: str
    times: tuple[Micros, ...]
    """The windows' ends."""
    series: tuple[Series, ...]
    unit: Literal["number", "share", "count", "latency"] = "number"
    marks: tuple[Mark, ...] = ()
    from_zero: bool = False
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    def data(self) -> dict[str, Any]:
        """What the script in the page reads; moments as seconds."""
        return {
            "times": [at / SECOND for at in self.times],
            "series": [{"label": one.label, "role": one.role, "values": list(one.values)} for one in self.series],
            "marks": [{"at": one.at / SECOND, "label": one.label, "tone": one.tone} for one in self.marks],
            "unit": self.unit,
            "zero": self.from_zero,
        }


def quality(picture: Picture, metric: str) -> Chart:
    """A metric over the windows, with its interval, what was promised, and what was decided when."""
    reports = [one for one in picture.reports if metric in one.performance or metric in one.estimated]
    measures = [one.performance.get(metric) for one in reports]
    guesses = [one.estimated.get(metric) for one in reports]
    promised = [picture.reference(one, metric) for one in reports]
    roles = sorted({role for one in reports for role, found in one.shadow.items() if metric in found})
    shadows = [[one.shadow.get(role, {}).get(metric) for one in reports] for role in roles]
    return Chart(
        id=f"quality-{metric}",
        title=label(metric),
        caption=f"{label(metric)} in each window, with the range that luck allows, beside what the version showed when "
        "tested, and what was estimated before outcomes were known.",
        times=tuple(one.until for one in reports),
        series=(
            Series("from", tuple(_low(one) if one else None for one in measures), "low"),
            Series("to", tuple(_high(one) if one else None for one in measures), "high"),
            Series(label(metric), tuple(one.value if one else None for one in measures)),
            Series("As tested", tuple(one.value if one else None for one in promised), "reference"),
            *(
                [Series("Estimated", tuple(one.value if one else None for one in guesses), "faint")]
                if any(guesses)
                else []
            ),
            *(
                Series(role.capitalize(), tuple(one.value if one else None for one in found), "points")
                for role, found in zip(roles, shadows, strict=True)
            ),
        ),
        marks=tuple(marks(tell(picture.decisions))),
        head=("Window", "Version", label(metric), "Range", "Estimated", "As tested", "Outcomes"),
        rows=tuple(
            (
                words.days(one.since, one.until),
                f"v{one.version}",
                words.figure(measure.value if measure else None),
                (words.interval(measure) if measure else "") or words.DASH,
                words.figure(guess.value if guess else None),
                words.figure(before.value if before else None),
                words.count(measure.count if measure else 0),
            )
            for one, measure, guess, before in zip(reports, measures, guesses, promised, strict=True)
        ),
    )


def traffic(picture: Picture) -> Chart:
    """Requests a window, and how many of their outcomes are known."""
    reports = picture.reports
    return Chart(
        id="traffic",
        title="Requests answered",
        caption="Requests in each window, and how many of them have a known outcome by now.",
        times=tuple(one.until for one in reports),
        series=(
            Series("Answered", tuple(float(one.predictions) for one in reports)),
            Series("Outcome known", tuple(float(one.labelled) for one in reports), "faint"),
        ),
        unit="count",
        from_zero=True,
        head=("Window", "Answered", "Outcome known", "Share"),
        rows=tuple(
            (
                words.days(one.since, one.until),
                words.count(one.predictions),
                words.count(one.labelled),
                words.share(one.label_share),
            )
            for one in reports
        ),
    )


def label_share(picture: Picture) -> Chart:
    """The share of answers whose outcome is known, window by window."""
    return Chart(
        id="label-share",
        title="Outcomes known",
        caption="The share of answers whose true outcome has arrived; quality is judged on those only.",
        times=tuple(one.until for one in picture.reports),
        series=(Series("Outcomes known", tuple(one.label_share for one in picture.reports)),),
        unit="share",
        from_zero=True,
        head=("Window", "Answered", "Outcomes known"),
        rows=tuple(
            (words.days(one.since, one.until), words.count(one.predictions), words.share(one.label_share))
            for one in picture.reports
        ),
    )


def latency(picture: Picture) -> Chart:
    """How long answers took."""
    reports = [one for one in picture.reports if one.latency_p50_us]
    return Chart(
        id="latency",
        title="Time to answer",
        caption="Half of the requests were answered within the lower line, 99 of 100 within the upper one.",
        times=tuple(one.until for one in reports),
        series=(
            Series("99 of 100 within", tuple(one.latency_p99_us for one in reports), "faint"),
            Series("Half within", tuple(one.latency_p50_us for one in reports)),
        ),
        unit="latency",
        from_zero=True,
        head=("Window", "Half within", "99 of 100 within"),
        rows=tuple(
            (words.days(one.since, one.until), words.latency(one.latency_p50_us), words.latency(one.latency_p99_us))
            for one in reports
        ),
    )


def marks(chapters: Sequence[Chapter]) -> list[Mark]:
    """What was decided, as marks on a chart, oldest first."""
    short = {
        "promote": "v{0} promoted",
        "rollback": "back to v{0}",
        "refuse": "v{0} refused",
        "shadow": "v{0} in shadow",
    }
    return [
        Mark(one.at, short[one.what].format(one.version), one.tone)
        for one in reversed(decided(chapters))
        if one.what in short and one.what != "shadow"
    ]


def trend(reports: Sequence[MonitorReport], metric: str) -> str:
    """What a metric did over the windows, in one sentence."""
    found = [(one, one.performance[metric]) for one in reports if metric in one.performance]
    if len(found) < 3:
        return "Too few windows to speak of a trend."
    best = max(found, key=lambda pair: pair[1].value)
    worst = min(found, key=lambda pair: pair[1].value)
    return (
        f"Over {words.plural(len(found), 'window')} {spoken(metric)} lay between {words.figure(worst[1].value)} "
        f"({words.days(worst[0].since, worst[0].until)}) and {words.figure(best[1].value)} "
        f"({words.days(best[0].since, best[0].until)})."
    )


def _low(measure: Measure) -> float:
    return measure.value if measure.low is None else measure.low


def _high(measure: Measure) -> float:
    return measure.value if measure.high is None else measure.high
