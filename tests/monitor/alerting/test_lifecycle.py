"""The life of alerts, against a model that reads the whole history anew for every window."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY
from drivetrain.core.records import SEVERITIES, Alert, Silence
from drivetrain.monitor.alerting.lifecycle import Rules, settle
from drivetrain.monitor.alerting.rule import Terms
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.rules import stands
from drivetrain.monitor.spec import Monitor
from monitor.alerting.windows import report

MONITOR = Monitor(endpoint="late")
FALL = Finding("performance.roc_auc", "warning", "it fell", {"now": 1})


def rules(window, monitor=MONITOR) -> Rules:
    return Rules(monitor.terms_of, lambda rule: stands(rule, window, monitor))


def settled(findings, alerts, window, monitor=MONITOR, **more):
    return settle(findings, alerts, window, rules(window, monitor), **{"now": window.until} | more)


def test_one_alert_opens_goes_on_and_is_resolved():
    first = settled([FALL], [], report(0))
    (told,) = first.told
    alert = told.alert
    assert (told.event, alert.at, alert.since, alert.state, alert.peak) == ("opened", DAY, 0, "open", "warning")
    assert alert.report == f"monitor:late@0-{DAY}"
    assert msgspec.json.decode(alert.evidence) == {"now": 1}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(alert), type=Alert) == alert
    on = settled([msgspec.structs.replace(FALL, message="it fell more")], [alert], report(1))
    assert on.told == ()
    (kept,) = on.changed
    assert (kept.id, kept.at, kept.message) == (alert.id, DAY, "it fell more")
    done = settled([], [kept], report(2))
    (over,) = done.told
    assert (over.event, over.alert.id, over.alert.state, over.alert.resolved) == (
        "resolved",
        alert.id,
        "resolved",
        3 * DAY,
    )


def test_settling_the_same_window_again_changes_nothing():
    first = settled([FALL], [], report(0))
    assert settled([FALL], [], report(0)) == first
    again = settled([FALL], first.changed, report(0))
    assert again.told == ()
    assert [one.id for one in again.changed] == [one.id for one in first.changed]


def test_an_alert_that_grows_worse_is_told_once_more_and_no_oftener():
    alerts = list(settled([FALL], [], report(0)).changed)
    told = []
    for day, severity in enumerate(["critical", "info", "warning", "critical"], 1):
        found = settled([msgspec.structs.replace(FALL, severity=severity)], alerts, report(day))
        alerts, told = list(found.changed), [*told, *((one.event, day) for one in found.told)]
    assert told == [("worse", 1)]


@pytest.mark.parametrize("blind", [{"labelled": 3}, {"performance": {}}])
def test_a_window_that_can_not_tell_resolves_nothing(blind):
    alerts = settled([FALL], [], report(0)).changed
    assert settled([], alerts, report(1, **blind)).changed == ()


def test_drift_stays_open_until_it_is_measured_again():
    (alert,) = settled([Finding("drift", "warning", "moved", {})], [], report(0)).changed
    assert settled([], [alert], report(1, output=None)).changed == ()
    assert settled([], [alert], report(1)).told[0].alert.id == alert.id


def test_a_rule_nobody_asks_for_any_more_is_resolved_and_other_endpoints_are_left_alone():
    (alert,) = settled([FALL], [], report(0)).changed
    other = msgspec.structs.replace(alert, id="x", endpoint="other")
    gone = msgspec.structs.replace(alert, id="y", state="resolved")
    found = settled([], [alert, other, gone], report(1, labelled=0), Monitor(endpoint="late", performance=None))
    assert [one.id for one in found.changed] == [alert.id]


def test_what_was_told_before_a_silence_is_told_to_end_in_it():
    silence = Silence(id="s", at=0, until=9 * DAY, rule="performance", because="known")
    alerts = settled([FALL], [], report(0)).changed
    assert [one.event for one in settled([], alerts, report(1), silences=[silence]).told] == ["resolved"]
    quiet = settled([FALL], [], report(0), silences=[silence])
    assert quiet.told == ()
    assert [one.alert.silence for one in quiet.silenced] == ["s"]
    assert settled([], quiet.changed, report(1), silences=[silence]).told == ()


def test_a_window_that_is_looked_at_again_keeps_a_rule_once():
    """As errors are followed and labels come, windows are looked at daily; ``calm`` asks for windows."""
    asked = Rules(lambda rule: Terms(calm=2), lambda rule: "kept")
    between = Rules(lambda rule: Terms(calm=2), lambda rule: "between")

    def after(alert, window, rules=asked):
        return next(iter(settle([], [alert], window, rules, now=window.until).changed), alert)

    (alert,) = settled([FALL], [], report(0)).changed
    for _ in range(3):
        alert = after(alert, report(2))
        alert = after(alert, report(1))  # an older one, as its labels become whole
    assert (alert.state, alert.calm) == ("open", 1)
    alert = after(after(alert, report(2), between), report(2))
    assert (alert.state, alert.calm) == ("open", 1)
    assert after(alert, report(3)).state == "resolved"


SEEN = st.sampled_from([*SEVERITIES, "kept", "between", "unknown"])
SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)), max_size=2)


class Model:
    """What is told, and what stands, of one rule: from the whole history, with no state but it."""

    def __init__(self, history, asked, spans):
        self.history, self.asked, self.spans = history, asked, spans

    def silent(self, day):
        return any(since <= day + 1 < since + length for since, length in self.spans)

    def lives(self):
        """Stretches of days: (first broken, opened or none, ended or none)."""
        day, found = 0, []
        while day < len(self.history):
            if self.history[day] not in SEVERITIES:
                day += 1
                continue
            first, run, opened = day, 0, None
            while day < len(self.history) and opened is None and self.history[day] not in {"kept", "between"}:
                run += self.history[day] in SEVERITIES
                if run >= self.asked.windows and run * DAY >= self.asked.time and self.history[day] in SEVERITIES:
                    opened = day
                day += 1
            if opened is None:
                found.append((first, None, day if day < len(self.history) else None))
                continue
            calm, ended = 0, None
            while day < len(self.history) and ended is None:
                seen = self.history[day]
                calm = calm + 1 if seen == "kept" else calm if seen == "unknown" else 0
                if calm >= self.asked.calm:
                    ended = day
                day += 1
            found.append((first, opened, ended))
        return found

    def told(self):
        events = []
        for _, opened, ended in self.lives():
            if opened is None:
                continue
            gravest = -1
            last = len(self.history) if ended is None else ended
            for day in range(opened, last):
                if self.history[day] not in SEVERITIES or self.silent(day):
                    continue
                grave = SEVERITIES.index(self.history[day])
                if day == opened:
                    events.append((day, "opened"))
                    gravest = grave
                elif 0 <= gravest < grave:
                    events.append((day, "worse"))
                    gravest = grave
            if ended is not None and gravest >= 0:
                events.append((ended, "resolved"))
        return sorted(events)


@settings(max_examples=400, deadline=None)
@given(st.lists(SEEN, max_size=30), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), SPANS)
def test_every_history_is_lived_as_the_model_reads_it(history, windows, days, calm, spans):
    asked = Terms(days * DAY, windows, calm)
    silences = [
        Silence(id=str(at), at=since * DAY, until=(since + length) * DAY, rule="slow", because="x")
        for at, (since, length) in enumerate(spans)
    ]
    alerts: dict[str, Alert] = {}
    told = []
    for day, seen in enumerate(history):
        broken = seen in SEVERITIES
        found = settle(
            [Finding("slow", seen, "slow", {})] if broken else [],
            list(alerts.values()),
            report(day),
            Rules(lambda rule: asked, lambda rule: "unknown" if broken else seen),  # noqa: B023 - called at once
            silences=silences,
            now=(day + 1) * DAY,
        )
        alerts |= {one.id: one for one in found.changed}
        told += [(day, one.event) for one in found.told]
        assert sum(one.state in {"open", "pending"} for one in alerts.values()) <= 1
    model = Model(history, asked, spans)
    assert told == model.told()
    lives = [(one.since // DAY, one.state, one.resolved and one.resolved // DAY - 1) for one in alerts.values()]
    expected = [
        (
            first,
            {(True, True): "pending", (True, False): "passed", (False, True): "open", (False, False): "resolved"}[
                opened is None, ended is None
            ],
            ended,
        )
        for first, opened, ended in model.lives()
    ]
    assert sorted(lives, key=lambda one: one[0]) == expected
