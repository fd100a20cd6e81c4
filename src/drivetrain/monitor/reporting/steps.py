"""The steps of a chapter as sentences: what drifted, what was estimated, what labels said, why, and what was done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.records import Alert, Decision, Measure, MonitorReport, Why
from drivetrain.evaluate.metrics import AT_RATE, METRICS
from drivetrain.evaluate.wording import figure, figures, percent, span
from drivetrain.monitor.performance import worsening
from drivetrain.monitor.reporting.chapter import Events, Kind, Step
from drivetrain.monitor.reporting.lanes import drift_of, family_of

_LONG = 420
"""Characters of a decision's reason that are told whole; of a longer one its first sentence."""


class _Asked(msgspec.Struct):
    """What a decision to retrain keeps as evidence."""

    alerts: tuple[str, ...] = ()
    every: str = ""
    forgetting: str = ""


_decode_asked = msgspec.json.Decoder(_Asked).decode


def steps(events: Events, metric: str) -> list[Step]:
    """The steps of a chapter in the order in which one brings about the next.

    Args:
        events: What belongs to it.
        metric: The metric that stands for the objective; empty where no window has it.
    """
    if not events.windows and not events.alerts and events.move("retrain") is None:
        return [_end(events)]
    fell = [one for family in ("estimated", "performance") for one in events.of(family) if not _gap(one)]
    estimated, guessed = _estimated(events, metric)
    real = _real(events, metric, guessed)
    found = [_drift(events), estimated, real, *_also(events)]
    unalarmed = not fell and (estimated.happened or real.happened)
    found += [*_cause(events, fell, unalarmed=unalarmed), _retrain(events), _shadow(events, metric)]
    return [*_in_time(found), _end(events)]


def _in_time(found: Sequence[Step]) -> list[Step]:
    """By when they happened: what came after a training is no reason for it. What did not happen keeps its place."""
    keys: list[Micros] = []
    for one in found:
        keys.append(one.at if one.at is not None else keys[-1] if keys else 0)
    return [found[place] for place in sorted(range(len(found)), key=keys.__getitem__)]


def day(at: Micros) -> str:
    """A moment's day, UTC.

    Example:
        >>> day(0)
        '1 January 1970'
    """
    moment = datetime_of(at)
    return f"{moment.day} {moment:%B %Y}"


def _drift(events: Events) -> Step:
    alerts = events.of("drift")
    measured = [one for one in events.before_training if one.drift] or [one for one in events.windows if one.drift]
    if not alerts:
        if not measured:
            return Step(kind="drift", happened=False, words="Drift was not measured.")
        most = max(measured, key=lambda one: sum(each.drifted for each in one.drift))
        words = _drifted(most)
        return Step(kind="drift", happened=False, words=f"Drift raised no alert: {words[:1].lower()}{words[1:]}")
    first = alerts[0]
    stood = first in events.standing
    seen = next(iter(measured), None) if stood else events.seen_by(first)
    words = _drifted(seen) if seen is not None and seen.drift else _said(first)
    if stood:
        ended = "is open still" if first.resolved is None else f"ended on {day(first.resolved)}"
        words = f"An alert of {day(first.at)} stood, and {ended}: {words[:1].lower() + words[1:]}"
    if first.severity == "info":
        words = f"{words.rstrip('.')}; that is a note and no alarm, as little of the model rests on it."
    return Step(kind="drift", happened=True, at=first.at, words=words, alert=first.id, note=first.severity == "info")


def _drifted(window: MonitorReport) -> str:
    found = drift_of(window)
    assert found is not None
    when = span(window.since, window.until)
    outputs = ", and so did the answers themselves" if found.outputs else ""
    furthest = f"{found.furthest} furthest ({found.statistic} {found.value:.3f}, {found.ratio:.1f} times its threshold)"
    if not found.drifted:
        return f"On {when} none of {found.features} features had drifted, {furthest}{outputs}."
    return f"On {when} {found.drifted} of {found.features} features had drifted, {furthest}{outputs}."


def _estimated(events: Events, metric: str) -> tuple[Step, MonitorReport | None]:
    """What was estimated, and the window in which it fell; none where it did not."""
    alert = _about(events.of("estimated"), metric)
    if alert is not None:
        return _fall(events, alert, "estimated"), events.seen_by(alert)
    seen = _surely(events, metric, "estimated")
    if seen is not None:
        return _unalarmed(seen, metric, "estimated"), seen
    known = [one for one in events.before_training if metric in one.estimated]
    known = known or [one for one in events.windows if metric in one.estimated]
    if not known:
        refused = next((one.estimation.refused for one in events.windows if one.estimation), "")
        why = f": {refused.removeprefix('not estimated: ').rstrip('.')}" if refused else ""
        return Step(kind="estimated", happened=False, words=f"Nothing was estimated before labels came{why}."), None
    last = known[-1]
    words = f"No sure fall was estimated: {_beside(last, metric, last.estimated[metric], 'was estimated at')}."
    return Step(kind="estimated", happened=False, words=words), None


def _real(events: Events, metric: str, guessed: MonitorReport | None) -> Step:
    """What labels showed; ``guessed`` is the window in which the metric was estimated to have fallen."""
    alert = _about(events.of("performance"), metric)
    if alert is not None:
        return _fall(events, alert, "real")
    seen = _surely(events, metric, "real")
    if seen is not None:
        return _unalarmed(seen, metric, "real")
    known = [one for one in events.before_training if metric in one.performance]
    known = known or [one for one in events.windows if metric in one.performance]
    if not known:
        return Step(kind="real", happened=False, words="No label was known yet.")
    last = guessed if guessed is not None and metric in guessed.performance else known[-1]
    begins = "Labels did not confirm it" if guessed is not None else "Labels showed no sure fall"
    share = f"on {percent(last.label_share)} of the labels"
    words = f"{begins}: {share} {_beside(last, metric, last.performance[metric])}."
    return Step(kind="real", happened=False, words=words)


def _fall(events: Events, alert: Alert, kind: Kind) -> Step:
    """A fall as the window tells it in which its alert opened."""
    metric = alert.rule.partition(".")[2]
    seen = events.seen_by(alert)
    known = seen is not None and metric in METRICS and metric in _measures(seen, kind)
    words = _fallen(seen, metric, kind) if seen is not None and known else _said(alert).rstrip(".")
    if alert.severity == "info":
        words = f"{words}; fewer positives explain that within its uncertainty, so it is a note only"
    note = alert.severity == "info"
    return Step(kind=kind, happened=True, at=alert.at, words=f"{words}.", alert=alert.id, note=note)


def _unalarmed(seen: MonitorReport, metric: str, kind: Kind) -> Step:
    words = f"{_fallen(seen, metric, kind)}; no alert was raised on that."
    return Step(kind=kind, happened=True, at=seen.until, words=words, note=True)


def _surely(events: Events, metric: str, kind: Kind) -> MonitorReport | None:
    """The first window whose metric is surely worse than its version's evaluation, training or not."""
    for one in events.windows:
        now, then = _measures(one, kind).get(metric), one.reference.get(metric)
        change = worsening(metric, now, then) if now is not None and then is not None else None
        if change is not None and change.low is not None and change.low > 0:
            return one
    return None


def _measures(window: MonitorReport, kind: Kind) -> dict[str, Measure]:
    return window.estimated if kind == "estimated" else window.performance


def _fallen(seen: MonitorReport, metric: str, kind: Kind) -> str:
    """A fall in words, without its full stop; average precision at the base rate of then as well."""
    measures, then, guessed = _measures(seen, kind), seen.reference.get(metric), kind == "estimated"
    greater = METRICS[metric].better == "greater"
    verb = ("fallen" if greater else "risen") if guessed else ("fell" if greater else "rose")
    where = "on" if guessed else f"on {measures[metric].count:,} labels of"
    since = f", from {figures(then)} when v{seen.version} was evaluated" if then is not None else ""
    at_rate = measures.get(AT_RATE) if metric == "average_precision" else None
    rate = f" ({figures(at_rate)} at the base rate of then)" if at_rate is not None else ""
    begins = f"{_title(metric)} was estimated to have" if guessed else _title(metric)
    return f"{begins} {verb} to {figures(measures[metric])}{rate} {where} {span(seen.since, seen.until)}{since}"


def _also(events: Events) -> Iterator[Step]:
    """Alerts of other kinds: one step a rule."""
    told: set[str] = set()
    for one in events.alerts:
        other = family_of(one.rule) not in {"drift", "estimated", "performance"} or _gap(one)
        if other and one.severity != "info" and one.rule not in told:
            told.add(one.rule)
            yield Step(kind="also", happened=True, at=one.at, words=_said(one), alert=one.id)


def _cause(events: Events, fell: Sequence[Alert], *, unalarmed: bool) -> list[Step]:
    """Why the metric fell, as it was found when it did; ``unalarmed`` is a fall that no alert was raised on."""
    explained = [one for one in events.windows if one.why is not None]
    if fell:
        ours = [events.seen_by(one) for one in fell]
        best = next((one for one in [*ours, *explained] if one is not None and one.why is not None), None)
        if best is not None and best.why is not None:
            words = _why(best.why, span(best.since, best.until))
            return [Step(kind="cause", happened=True, at=best.until, words=words)]
    broken = events.of("inputs")
    if fell and broken:
        said = _said(broken[0])
        words = f"Probably because {said[:1].lower()}{said[1:]}"
        return [Step(kind="cause", happened=True, at=broken[0].at, words=words, alert=broken[0].id)]
    by = next((one for one in [*fell, *events.alerts, *events.standing] if one.cause), None)
    if by is not None:
        said = by.cause.rstrip(".")
        return [Step(kind="cause", happened=True, at=by.at, words=f"Probably {said}.", alert=by.id)]
    if unalarmed:
        words = "No cause was looked for, as no alert was raised on the fall."
        return [Step(kind="cause", happened=False, words=words)]
    if not fell:
        return [Step(kind="cause", happened=False, words="Nothing fell, so there is no cause to name.")]
    return [Step(kind="cause", happened=False, words="No cause of the fall is on record.")]


def _why(why: Why, when: str) -> str:
    """The parts of a fall, the rows that moved most, and what happened upstream, in one sentence."""
    title = METRICS[why.metric].title if why.metric in METRICS else why.metric
    parts = []
    if why.inputs is not None:
        named = [f"{one.feature} ({figure(one.value, sign=True)})" for one in why.features[:2] if one.value > 0]
        above = f", above all {' and '.join(named)}" if named else ""
        rest = (
            ""
            if why.concept is None
            else f", {figures(why.concept, sign=True)} from labels that follow like inputs otherwise"
        )
        parts.append(
            f"of {figure(why.worse.value)} by which {title} was worse on {when}, {figures(why.inputs, sign=True)} came "
            f"from inputs unlike the evaluation's{above}{rest}"
        )
    else:
        because = why.refused.rpartition("apart: ")[2].partition(":")[0].rstrip(".")
        reason = f", as {because}" if because else ""
        parts.append(f"how much of what {title} lost on {when} comes from inputs can't be told{reason}")
    if why.segments:
        worst = why.segments[0]
        parts.append(
            f"worst hit were rows where {worst.where} ({percent(worst.share)} of them): mean loss {figure(worst.now)}, "
            f"{figure(worst.then)} then"
        )
    if why.upstream:
        parts.append(f"upstream, {why.upstream[0].rstrip('.')}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _retrain(events: Events) -> Step:
    asked = events.move("retrain")
    made = events.move("register")
    version = None if made is None else made.version
    new = "" if made is None else f"; v{version} came of it ({made.because.rstrip('.')})"
    if asked is None:
        if made is not None:
            words = f"v{version} was trained, though no alert asked for it ({made.because.rstrip('.')})."
            return Step(kind="retrain", happened=True, at=made.at, words=words, version=version)
        return Step(kind="retrain", happened=False, words="No retraining began.")
    evidence = _asked(asked)
    known = {one.id: one for one in (*events.alerts, *events.standing)}
    rules = dict.fromkeys(known[one].rule for one in evidence.alerts if one in known)
    if rules:
        count = len(evidence.alerts)
        why = f"{'an alert was' if count == 1 else f'{count} alerts were'} open: {', '.join(rules)}"
    elif evidence.every:
        why = f"the schedule asks for a new version every {evidence.every}"
    else:
        why = _first_sentence(asked.because).rstrip(".")
    return Step(kind="retrain", happened=True, at=asked.at, words=f"Retraining began, as {why}{new}.", version=version)


def _shadow(events: Events, metric: str) -> Step:
    begun = events.move("shadow")
    if begun is None:
        none = "No version answered in the shadow"
        end = events.end
        if end is not None and end.what == "promote":
            none += ": the new one answers at once"
        elif end is None and events.move("retrain") is not None:
            none += " yet"
        return Step(kind="shadow", happened=False, words=f"{none}.")
    standing = f" of v{events.champion}" if events.champion is not None else ""
    until = f" until {day(events.until)}" if events.until is not None else ", and still does"
    words = f"v{begun.version} passed its gates and answered in the shadow{standing}{until}"
    name = f"shadow v{begun.version}"
    beside = [one for one in events.windows if metric in one.shadow.get(name, {}) and metric in one.performance]
    if beside:
        last = beside[-1]
        words += (
            f"; on {span(last.since, last.until)} its {METRICS[metric].title} was "
            f"{figures(last.shadow[name][metric])}, and v{last.version}'s {figures(last.performance[metric])}"
        )
    return Step(kind="shadow", happened=True, at=begun.at, words=f"{words}.", version=begun.version)


def _end(events: Events) -> Step:
    end = events.end
    if end is None:
        waits = events.waiting
        who = f": v{events.champion} answers" if events.champion is not None else ""
        if waits is not None:
            words = f"v{waits.version} waits for a person's approval{who}."
        elif events.calm:
            last = max(one.resolved or 0 for one in events.alerts)
            words = f"Nothing was decided, as the alerts ended, the last on {day(last)}{who}."
        else:
            words = f"Nothing was decided yet{who}."
        return Step(kind="end", happened=False, words=words)
    why = _reason(end.because)
    by = "" if end.actor in {"loop", "monitor"} else f" by {end.actor}"
    if end.what == "promote":
        words = f"v{end.version} was promoted{by}: {why}"
    elif end.what == "rollback":
        words = f"Rolled back to v{end.version}{by}: {why}"
    else:
        stays = "the champion stayed" + (f", v{events.champion}" if events.champion is not None else "")
        what = f"v{end.version} was refused{by}" if end.version is not None else "Nothing came of it"
        words = f"{what}, and {stays}: {why}"
    return Step(kind="end", happened=True, at=end.at, words=words, version=end.version)


def _beside(window: MonitorReport, metric: str, measure: Measure, how: str = "was") -> str:
    then = window.reference.get(metric)
    before = f", {figures(then)} when v{window.version} was evaluated" if then is not None else ""
    return f"{METRICS[metric].title} {how} {figures(measure)} on {span(window.since, window.until)}{before}"


def _about(alerts: Sequence[Alert], metric: str) -> Alert | None:
    """The alert to tell of: one that alarms before one that does not, then the one on the metric of the objective."""
    real = [one for one in alerts if not _gap(one)]
    return min(real, key=lambda one: (one.severity == "info", one.rule.partition(".")[2] != metric), default=None)


def _gap(alert: Alert) -> bool:
    return alert.rule == "estimated.gap"


def _title(metric: str) -> str:
    title = METRICS[metric].title
    return title[:1].upper() + title[1:]


def asked_by(decision: Decision) -> str:
    """What asked for a retraining, where that was no alert: ``schedule``, ``forgetting``, or empty if it isn't said."""
    evidence = _asked(decision)
    return "schedule" if evidence.every else "forgetting" if evidence.forgetting else ""


def _asked(decision: Decision) -> _Asked:
    try:
        return _decode_asked(decision.evidence)
    except msgspec.DecodeError:
        return _Asked()


def _said(alert: Alert) -> str:
    """The first sentence of an alert, without the endpoint's name before it."""
    words = _first_sentence(alert.message.removeprefix(f"{alert.endpoint}: "))
    return words[:1].upper() + words[1:]


def _first_sentence(words: str) -> str:
    """Up to the first full stop that ends a sentence."""
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z])", words.strip(), maxsplit=1)[0]
    return first if first.endswith((".", "!", "?")) else f"{first}."


def _reason(because: str) -> str:
    whole = because.strip()
    return _first_sentence(whole) if len(whole) > _LONG else whole if whole.endswith(".") else f"{whole}."
