"""Windows and alerts in a real catalog: two watchers, people in between, silences, what is said."""

from __future__ import annotations

import logging
import threading

import msgspec
import pytest
from tests.loop.alerting.trains import drift, keep, make, opened, window

from drivetrain.core import clock
from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.records import Alert, Decision, Delivery, FeatureDrift, MonitorReport, Silence, TableVersion
from drivetrain.loop.alerting import keeping, silencing
from drivetrain.loop.alerting.keeping import keep_window
from drivetrain.loop.alerting.silencing import end_silences
from drivetrain.loop.status import status
from drivetrain.monitor.rules import judge

MEASURED = FeatureDrift("prediction", "psi", 0.1, 0.2, False, 0.0, 0.0, 900)


@pytest.fixture
def project(tmp_path):
    loaded = opened(make(tmp_path / "trains"))
    yield loaded
    loaded.store.close()


def waiting(project, state="waiting"):
    return [(one.event, one.alert[:4]) for one in project.store.catalog.find(Delivery, state)]


def test_a_window_its_alert_and_who_hears_of_it_are_one_commit(project):
    before = project.store.catalog.revision()
    (decision,) = keep(project, 0, drift())
    assert project.store.catalog.revision() == before + 1
    (alert,) = project.alerts.list()
    assert decision.because == alert.message == "late: it moved."
    assert alert.meaning.startswith("For “Warn passengers early”: what is asked is unlike")
    assert alert.runbook == "https://run.example/drift"
    assert alert.commands == ("drivetrain report late --since 1970-01-01 --until 1970-01-02",)
    assert waiting(project) == [("opened", alert.id[:4])]
    assert keep(project, 1, drift()) == []
    assert len(waiting(project)) == 1, "an alert that goes on is not repeated"


def test_two_watchers_at_once_tell_once(project):
    other = opened(project.folder)
    gate = threading.Barrier(2)
    found = []

    def watcher(mine):
        for day in range(12):
            gate.wait()
            broken = [drift()] if day % 4 < 2 else []
            found.extend(keep(mine, day, *broken, output=MEASURED))

    threads = [threading.Thread(target=watcher, args=(one,)) for one in (project, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    catalog = project.store.catalog
    assert len(catalog.find(MonitorReport, "late")) == 12
    assert len(catalog.find(Alert, "late")) == 3
    assert len(found) == len({one.id for one in found}) == 6
    assert sorted(event for event, _ in waiting(project)) == ["opened"] * 3 + ["resolved"] * 3
    other.store.close()


def test_what_a_person_ends_between_look_and_commit_stays_ended(project, monkeypatch):
    keep(project, 0, drift())
    settle, calls = keeping.settle, []

    def meddled(*given, **named):
        found = settle(*given, **named)
        if not calls:
            calls.append(project.alerts.resolve("drift", because="a known outage", useful=False))
        return found

    monkeypatch.setattr(keeping, "settle", meddled)
    keep(project, 1, drift())
    states = sorted((one.at // DAY, one.state, one.because) for one in project.store.catalog.find(Alert, "late"))
    assert states == [(1, "resolved", "a known outage"), (2, "open", "")], (
        "the window that breaks it again opens another"
    )


def test_a_rule_that_must_hold_is_told_when_it_has(project):
    def look(day):
        slow = window(day, latency_p99_us=61_000.0)
        return keep_window(project, project.monitors["late"], slow, judge(slow, project.monitors["late"]))

    assert look(0) == []
    assert [one.state for one in project.alerts.list(state="pending")] == ["pending"]
    (decision,) = look(1)
    (alert,) = project.alerts.list()
    assert "slow. latency_p99_us was 61.0 ms" in decision.because
    assert (alert.windows, alert.since, alert.state) == (2, 0, "open")


def test_a_silence_keeps_quiet_and_then_tells_what_is_still_open(project, monkeypatch):
    keep(project, 0, drift(), endpoint="early")
    made = project.alerts.silence("drift", "2h", because="the schema is being changed", actor="ines")
    assert keep(project, 0, drift())[0].because.endswith("(a silence held: nobody was told)")
    assert [one.endpoint for one in project.store.catalog.find(Alert) if one.silence] == ["late"]
    assert len(waiting(project)) == 1
    assert end_silences(project) == [], "its time is not over"
    later = made.until
    monkeypatch.setattr(clock, "now", lambda: later)
    decisions = end_silences(project)
    assert [one.what for one in decisions] == ["silence", "alert", "alert"]
    assert "still open: drift, drift" in decisions[0].because
    assert sorted(event for event, _ in waiting(project)) == ["opened", "still open", "still open"]
    assert end_silences(project) == []
    assert project.alerts.silences() == []
    assert {one.peak for one in project.alerts.list()} == {"warning"}
    said = [one.because for one in project.store.catalog.find(Decision) if one.what == "silence"]
    assert any("for 2h" in one and "the schema is being changed" in one for one in said)


def test_a_silence_that_another_one_covers_tells_nothing_yet(project, monkeypatch):
    first = project.alerts.silence("drift", "1h", because="first", endpoint="late")
    project.alerts.silence("drift", "3h", because="second")
    keep(project, 0, drift())
    monkeypatch.setattr(clock, "now", lambda: first.until)
    assert [one.what for one in end_silences(project)] == ["silence"]
    assert waiting(project) == []
    (left,) = project.alerts.silences()
    project.alerts.unsilence(left.id[:13], because="done early")
    assert [event for event, _ in waiting(project)] == ["still open"]


def test_two_watchers_end_a_silence_once(project, monkeypatch):
    project.alerts.silence("drift", "1h", because="known")
    keep(project, 0, drift())
    monkeypatch.setattr(clock, "now", lambda: 4 * 10**15)
    ended = silencing._end
    both = []

    def raced(mine, silence, how, now):
        if not both:
            both.append(1)
            ended(mine, silence, how, now)
        return ended(mine, silence, how, now)

    monkeypatch.setattr(silencing, "_end", raced)
    assert end_silences(project) == [], "the other one told"
    assert [event for event, _ in waiting(project)] == ["still open"]


def test_a_clock_that_is_set_back_ends_no_silence_early_and_one_set_forth_only_ends_it(project, monkeypatch):
    made = project.alerts.silence("drift", "2h", because="known")
    monkeypatch.setattr(clock, "now", lambda: made.at - 9 * HOUR)
    assert end_silences(project) == []
    assert not made.holds(made.at - 1)
    keep(project, 0, drift())
    assert [event for event, _ in waiting(project)] == ["opened"], "rather told twice than never"


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda alerts: alerts.silence("drfit", "2h", because="x"), "no rule is called 'drfit'"),
        (lambda alerts: alerts.silence("drift", "2h", because=" "), "needs a reason"),
        (lambda alerts: alerts.silence("drift", "0s", because="x"), "lasts for some time"),
        (lambda alerts: alerts.silence("drift", "2h", because="x", endpoint="lat"), "no endpoint is called"),
        (lambda alerts: alerts.unsilence("zz"), "no silence that holds"),
        (lambda alerts: alerts.resolve("zzzz", because="x"), "no alert is open"),
    ],
)
def test_what_can_not_be_done_is_said(project, ask, words):
    with pytest.raises(UsageError, match=words):
        ask(project.alerts)


def test_what_people_make_of_alerts(project, monkeypatch):
    keep(project, 0, drift())
    keep(project, 0, drift(), endpoint="early")
    first, second = project.alerts.list()
    with pytest.raises(UnknownName, match="more than one"):
        project.alerts.get("drift")
    seen = project.alerts.acknowledge(first.id[:8], actor="ines")
    assert (seen.state, seen.by) == ("open", "ines")
    with pytest.raises(UsageError, match="for a reason"):
        project.alerts.resolve(second.id)
    ended = project.alerts.resolve(second.id, because="a known outage", actor="omar")
    assert (ended.state, ended.because, ended.by) == ("resolved", "a known outage", "omar")
    with pytest.raises(UsageError, match="has ended already"):
        project.alerts.resolve(second.id, because="again")
    assert project.alerts.resolve(second.id, useful=False).useful is False
    together, rule = project.alerts.quality()
    assert (together.opened, rule.rule, rule.noise, rule.acknowledged) == (2, "drift", 1, 2)
    assert rule.seconds_to_acknowledge >= 0
    said = [one.because for one in project.store.catalog.find(Decision) if one.what == "resolve"]
    assert said[::-1] == ["drift: seen", "drift: ended by hand: a known outage", "drift: noise"]
    assert [event for event, _ in waiting(project)].count("resolved") == 1


def test_a_cause_that_is_on_record_is_named(project):
    moved = FeatureDrift("history.count_1d", "psi", 0.9, 0.2, True, 0.0, 0.0, 900)
    gone = msgspec.structs.replace(moved, null_share=0.97)
    fell = msgspec.structs.replace(drift(), rule="performance.roc_auc")
    keep(project, 0, fell, drift=(moved,))
    assert project.alerts.list()[0].cause == "history.count_1d drifted in the same window: psi 0.9."
    keep(project, 1, fell, drift=(gone,))
    assert project.alerts.list()[0].cause == "history.count_1d came empty: 97 % without a value."
    project.store.catalog.commit(
        TableVersion(
            at=2 * DAY + 1, table="rides", version=0, rows=100, added=90, quarantined=10, last_event=2 * DAY, digest="d"
        )
    )
    keep(project, 2, fell, drift=(gone,))
    assert project.alerts.list()[0].cause.startswith("the contract of rides set aside 10 %")
    keep(project, 3, fell, drift=(gone,))
    assert project.alerts.list()[0].cause.startswith("table rides stood still:")


def test_silences_hold_back_the_log_too(project, caplog):
    project.alerts.silence("drift", "2h", because="known")
    with caplog.at_level(logging.INFO, "drivetrain.alerts"):
        keep(project, 0, drift())
        keep(project, 0, drift(), endpoint="early")
    assert caplog.records == []
    assert project.store.catalog.get(Silence, project.alerts.silences()[0].id) is not None
    assert status(project)["alerts_open"] == 2
    assert window(0).key.startswith("late@0-")
