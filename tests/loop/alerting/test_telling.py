"""Delivery against real servers: what is down is queued, outlives the watcher, holds nothing up, and keeps secrets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.loop.alerting.trains import drift, keep, make, opened

from drivetrain.core import clock
from drivetrain.core.clock import HOUR, MINUTE, SECOND
from drivetrain.core.records import Delivery
from drivetrain.loop.alerting.telling import deliver, home_of, tell_now, wait_of
from drivetrain.loop.watch import Pace, watch
from monitor.alerting.receivers import closed_port, receiving


@pytest.fixture
def folder(tmp_path):
    return make(tmp_path / "trains")


@pytest.fixture
def project(folder):
    loaded = opened(folder)
    yield loaded
    loaded.store.close()


@pytest.fixture
def away(monkeypatch):
    """The address of a receiver that is not there, in the variable that names it."""
    port = closed_port()
    monkeypatch.setenv("TRAINS_SLACK", f"http://127.0.0.1:{port}/T0/s3cret-path")
    return port


def states(project):
    return [(one.state, one.attempts) for one in project.store.catalog.find(Delivery)]


def test_what_opened_in_one_look_is_one_message(project, monkeypatch):
    keep(project, 0, drift())
    keep(project, 0, drift(message="early: it moved too."), endpoint="early")
    with receiving() as receiver:
        monkeypatch.setenv("TRAINS_SLACK", receiver.url)
        tell_now(project)
    (body,) = receiver.got
    assert body["blocks"][0]["text"]["text"] == "[trains] warning – opened: drift on early, drift on late"
    assert states(project) == [("delivered", 1)] * 2
    assert wait_of(project) is None
    (sink,) = project.alerts.sinks()
    assert (sink.state, sink.waiting, sink.delivered) == ("good", 0, 2)


def test_a_sink_that_is_away_is_queued_named_and_told_when_it_is_back(project, away, monkeypatch, caplog):
    keep(project, 0, drift())
    tell_now(project)
    assert states(project) == [("waiting", 1)]
    (sink,) = project.alerts.sinks()
    assert (sink.sink, sink.state, sink.waiting, sink.attempts) == ("slack TRAINS_SLACK", "away", 1, 1)
    assert "can't be reached" in sink.error
    keep(project, 1)
    keep(project, 2, drift("critical"))
    later = clock.now() + HOUR
    monkeypatch.setattr(clock, "now", lambda: later)
    with receiving(away) as receiver:
        assert deliver(project) == 1
    (body,) = receiver.got
    assert len(receiver.got) == 1, "all that waited is one message"
    assert "CRITICAL" in body["text"]
    assert project.alerts.sinks()[0].state == "good"
    everything = caplog.text + repr(project.store.catalog.find(Delivery)) + repr(project.alerts.list())
    assert "s3cret" not in everything


def test_the_secret_is_in_no_file_of_the_state(project, away):
    keep(project, 0, drift())
    tell_now(project)
    project.store.close()
    state = [path.read_bytes() for path in Path(project.folder).rglob("*") if path.is_file()]
    assert state
    assert not any(b"s3cret" in content for content in state)


def test_a_sink_nobody_names_any_more_and_one_without_its_variable_are_said(project, monkeypatch):
    monkeypatch.delenv("TRAINS_SLACK", raising=False)
    keep(project, 0, drift())
    deliver(project)
    assert "TRAINS_SLACK is not set" in project.alerts.sinks()[0].error
    renamed = opened(make(project.folder, **{"env:TRAINS_SLACK": "env:OTHER"}))
    assert [(one.sink, one.state) for one in renamed.alerts.sinks()] == [
        ("slack TRAINS_SLACK", "gone"),
        ("slack OTHER", "good"),
    ]
    later = clock.now() + HOUR
    monkeypatch.setattr(clock, "now", lambda: later)
    deliver(renamed)
    assert [one.error for one in renamed.store.catalog.find(Delivery)] == ["the project names no such sink any more"]
    renamed.store.close()


def test_a_sink_of_the_project_s_own_may_raise_anything(project, monkeypatch):
    keep(project, 0, drift())
    monkeypatch.setattr("drivetrain.monitor.alerting.sinks.slack.post", lambda *_, **__: {}["s3cret"])
    deliver(project)
    assert project.alerts.sinks()[0].error == "slack TRAINS_SLACK failed with KeyError."


def test_two_processes_that_deliver_send_once(project, monkeypatch):
    for day in range(6):
        keep(project, 2 * day, drift(message=f"{day}"), output=None)
        project.alerts.resolve("drift", because="next")
    others = [opened(project.folder) for _ in range(3)]
    with receiving() as receiver:
        monkeypatch.setenv("TRAINS_SLACK", receiver.url)
        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(deliver, [project, *others]))
    assert sum(sent) == len(receiver.got) == 1
    for other in others:
        other.store.close()


def test_a_claim_of_a_process_that_died_runs_out(project, monkeypatch):
    keep(project, 0, drift())
    with receiving() as receiver:
        monkeypatch.setenv("TRAINS_SLACK", receiver.url)
        with monkeypatch.context() as dying:
            dying.setattr("drivetrain.loop.alerting.telling._send", lambda *_: (_ for _ in ()).throw(SystemExit))
            with pytest.raises(SystemExit):
                deliver(project)
        assert deliver(project) == 0, "somebody may be sending it"
        later = clock.now() + 3 * MINUTE
        monkeypatch.setattr(clock, "now", lambda: later)
        assert deliver(project) == 1


def test_a_watch_with_a_sink_that_hangs_looks_on(project, monkeypatch):
    """A receiver that takes connections and never answers: looks are not a moment later for it."""
    with socket.socket() as tarpit:
        tarpit.bind(("127.0.0.1", 0))
        tarpit.listen()
        monkeypatch.setenv("TRAINS_SLACK", f"http://127.0.0.1:{tarpit.getsockname()[1]}/")
        monkeypatch.setattr("drivetrain.loop.alerting.telling.PARTING", 0.1)
        took = []

        def look(mine):
            began = time.perf_counter()
            found = keep(mine, len(took), drift())
            took.append(time.perf_counter() - began)
            return found

        began = time.perf_counter()
        watch(project, look, every=0.05, looks=5, tell=None)
        assert len(took) == 5
        assert max(took) < 1.0
        assert time.perf_counter() - began < 4.0


def watching(folder: Path, port: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"TRAINS_SLACK": f"http://127.0.0.1:{port}/T0/s3cret-path"}
    return subprocess.Popen(
        [sys.executable, "-m", "drivetrain", "watch", "--every", "0.2", "--project", str(folder)],
        env=environment,
        stderr=subprocess.PIPE,
    )


def until(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_waits_outlives_a_watcher_that_is_killed(project, folder):
    port = closed_port()
    keep(project, 0, drift())
    first = watching(folder, port)
    try:
        until(lambda: any(one.error for one in project.store.catalog.find(Delivery)))
    finally:
        first.send_signal(signal.SIGKILL)
        _, said = first.communicate()
    assert b"s3cret" not in said
    assert b"slack TRAINS_SLACK can't be reached" in said
    (waiting,) = project.store.catalog.find(Delivery, "waiting")
    assert waiting.attempts >= 1
    with receiving(port) as receiver:
        second = watching(folder, port)
        try:
            until(lambda: project.store.catalog.find(Delivery, "delivered"))
        finally:
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=30)
    assert "it moved." in receiver.got[0]["text"]


def test_a_clock_that_jumps_is_named_and_stops_nothing(project):
    wall, steady = [1_000 * HOUR], [0.0]
    pace = Pace(lambda: wall[0], lambda: steady[0])
    jumps = iter([2 * HOUR, 0, -3 * HOUR, 0])

    def look(mine):
        steady[0] += 30
        wall[0] += 30 * SECOND + next(jumps, 0)
        return []

    said = []
    watch(project, look, every=0, looks=5, tell=lambda decision: said.append(decision.because), pace=pace)
    assert said == [
        "the clock jumped forward by 2h; this look is left out",
        "the clock was set back by 3h; windows, alerts and retries go on",
    ]


def test_a_second_watch_says_that_it_waits(project):
    other = opened(project.folder)
    lease = other.store.leases.acquire("watch", "somebody else", 1.0)
    said = []
    watch(project, lambda mine: [], every=0.1, looks=1, tell=lambda decision: said.append(decision.because))
    assert lease is not None
    assert said == ["another watch works on this project; this one waits"]
    other.store.close()


def test_links_lead_to_where_people_reach_the_dashboard(project, folder):
    assert home_of(project) == "http://127.0.0.1:8799"
    (folder / "drivetrain.toml").write_text('[web]\naddress = "https://trains.example/"\n')
    assert home_of(opened(folder)) == "https://trains.example"
    (folder / "drivetrain.toml").write_text('[web]\nhost = "0.0.0.0"\n')
    assert home_of(opened(folder)) == "http://localhost:8700"
