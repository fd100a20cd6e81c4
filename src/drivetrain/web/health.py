"""Is it healthy? The answer in words, from what the monitor reported and which alerts are open."""

from __future__ import annotations

from typing import Literal

import msgspec

from drivetrain.core.records import Measure
from drivetrain.web.glossary import better_higher, spoken
from drivetrain.web.picture import Picture
from drivetrain.web.words import count, days, figure, interval, listed, plural, share

Level = Literal["good", "watch", "bad", "unknown"]

LEVELS: dict[str, str] = {
    "good": "Healthy",
    "watch": "Worth a look",
    "bad": "Needs attention",
    "unknown": "Not known yet",
}


class Health(msgspec.Struct, frozen=True):
    """One endpoint's state: a level, a headline, and the sentences behind it."""

    level: Level
    headline: str
    sentences: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The level as people say it."""
        return LEVELS[self.level]


def assess(picture: Picture) -> Health:
    """The health of an endpoint: open alerts decide the level, the last window's figures explain it."""
    if picture.champion is None:
        refused = picture.versions and not any(one.gates.passed for one in picture.versions.values())
        reason = "No trained version has met its gates yet." if refused else "Train a model and promote a version."
        return Health("unknown", f"Nothing answers on {picture.endpoint} yet.", (reason,))
    answers = f"Version {picture.champion} answers."
    latest, judged = picture.latest, picture.judged
    if latest is None:
        return Health("unknown", f"{answers} No traffic has been looked at yet.", _promise(picture))
    compared = (
        standing(judged.performance[picture.metric], picture.reference(judged, picture.metric), picture.metric)
        if judged
        else None
    )
    alerts = picture.open_alerts
    worst = alerts[0].severity if alerts else "info"
    level: Level = "bad" if worst == "critical" else "watch" if worst == "warning" or compared == "worse" else "good"
    headline = _headline(picture, level, compared)
    beyond = _beyond(picture) if latest.version == picture.champion else ()
    return Health(level, headline, (_traffic(picture), *_quality(picture, compared), *beyond, _alerts(picture)))


def standing(measure: Measure, reference: Measure | None, metric: str) -> str | None:
    """How a measure stands to its reference: ``better``, ``worse`` or ``alike`` (luck could explain the gap)."""
    if reference is None:
        return None
    low = measure.value if measure.low is None else measure.low
    high = measure.value if measure.high is None else measure.high
    if low <= reference.value <= high:
        return "alike"
    return "better" if (low > reference.value) == better_higher(metric) else "worse"


def _headline(picture: Picture, level: Level, compared: str | None) -> str:
    who = f"Version {picture.champion}"
    if picture.latest is not None and picture.latest.version != picture.champion:
        return f"{who} has just taken over from version {picture.latest.version}; its own traffic is not judged yet."
    if level == "bad":
        return f"{who} needs attention: {_first_alert(picture)}"
    if level == "watch" and picture.open_alerts:
        how = {"worse": "is doing worse than when tested", "better": "is doing better than when tested"}
        return f"{who} {how.get(compared or '', 'answers as well as when tested')}, but something has changed."
    told = {
        "worse": f"{who} is doing worse than when it was tested.",
        "better": f"All is well: version {picture.champion} is doing better than when it was tested.",
        "alike": f"All is well: version {picture.champion} is as good as when it was tested.",
    }
    return told.get(compared or "", f"{who} answers; its quality is not known yet.")


def _first_alert(picture: Picture) -> str:
    message = picture.open_alerts[0].message.strip()
    sentence = message.split(". ")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:] + "."


def _traffic(picture: Picture) -> str:
    report = picture.latest
    assert report is not None
    known = (
        "no outcome is known yet" if not report.labelled else f"{share(report.label_share)} of the outcomes are known"
    )
    window = days(report.since, report.until)
    who = "it" if report.version == picture.champion else f"version {report.version}"
    return f"In the window of {window} {who} answered {count(report.predictions)} requests; {known}."


def _quality(picture: Picture, compared: str | None) -> tuple[str, ...]:
    report = picture.judged
    if report is None:
        return _guess(picture)
    measure = report.performance[picture.metric]
    reference = picture.reference(report, picture.metric)
    text = f"{spoken(picture.metric)} was {figure(measure.value)}"
    if bounds := interval(measure):
        text += f" (with luck taken into account, {bounds})"
    if reference is not None:
        told = {"alike": "about what it showed", "better": "better than", "worse": "worse than"}[compared or "alike"]
        end = (
            f" when tested: {figure(reference.value)}"
            if told.endswith("showed")
            else f" the {figure(reference.value)} it showed when tested"
        )
        text += f", {told}{end}"
    where = (
        ""
        if report is picture.latest
        else f"In {days(report.since, report.until)}, the last window that can be judged, "
    )
    sentence = f"{where}{text}."
    return (sentence[0].upper() + sentence[1:],)


def _guess(picture: Picture) -> tuple[str, ...]:
    """What quality is estimated to be while no outcome is known."""
    latest = picture.latest
    measure = None if latest is None else latest.estimated.get(picture.metric)
    if measure is None:
        return ()
    bounds = interval(measure)
    words = f"{spoken(picture.metric)} is estimated at {figure(measure.value)}" + (f" ({bounds})" if bounds else "")
    return (f"{words[0].upper()}{words[1:]}, judging by the answers alone.",)


def _beyond(picture: Picture) -> tuple[str, ...]:
    metric = picture.metric
    evaluation = picture.evaluations.get(picture.champion or 0)
    baselines = evaluation.baselines if evaluation else {}
    found = {name: one[metric].value for name, one in baselines.items() if metric in one}
    if not found:
        return ()
    best = (max if better_higher(metric) else min)(found, key=lambda name: found[name])
    return (f"The best plain rule, {best}, reached {figure(found[best])} in the same test.",)


def _alerts(picture: Picture) -> str:
    if not picture.open_alerts:
        return "No alert is open."
    kinds = listed(dict.fromkeys(one.rule for one in picture.open_alerts[:3]))
    more = len(picture.open_alerts) - 3
    rest = f" and {more} more" if more > 0 else ""
    verb = "is" if len(picture.open_alerts) == 1 else "are"
    return f"{plural(len(picture.open_alerts), 'alert')} {verb} open: {kinds}{rest}."


def _promise(picture: Picture) -> tuple[str, ...]:
    evaluation = picture.evaluations.get(picture.champion or 0)
    measure = evaluation.metrics.get(picture.metric) if evaluation else None
    if evaluation is None or measure is None:
        return ()
    tested = f"When tested on {count(evaluation.rows)} cases its {spoken(picture.metric)} was {figure(measure.value)}"
    bounds = interval(measure)
    return (f"{tested} ({bounds})." if bounds else f"{tested}.",)
