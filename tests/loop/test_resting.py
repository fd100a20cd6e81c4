"""What the watch leaves alone, and everything that wakes it."""

from __future__ import annotations

import pytest
from tests.loop.alerting.trains import make, opened, window

from drivetrain.core.clock import DAY, HOUR, MINUTE
from drivetrain.core.records import Alias, Arm, Decision, Policy
from drivetrain.loop import commands
from drivetrain.loop.resting import Resting, rests_until

NOW = 20_000 * DAY + 5 * HOUR
RULE = 'runbooks={"drift"'


@pytest.fixture
def project(tmp_path):
    loaded = opened(make(tmp_path / "trains", **{RULE: f'window="1d", {RULE}'}))
    loaded.store.catalog.commit(window(19_999), window(19_999, endpoint="early"))
    yield loaded
    loaded.store.close()


def looked(project, resting, now, monkeypatch):
    """Which endpoints a look took in."""
    seen = []
    monkeypatch.setattr(commands, "look", lambda project, monitor, now, retrain: seen.append(monitor.endpoint) or [])
    commands.look_at_all(project, now, resting=resting)
    return seen


def test_nothing_is_looked_at_twice_until_something_is_kept_or_due(project, monkeypatch):
    resting = Resting()
    both = ["late", "early"]
    assert looked(project, resting, NOW, monkeypatch) == both
    assert looked(project, resting, NOW + MINUTE, monkeypatch) == []
    project.store.catalog.commit(window(19_998))
    assert looked(project, resting, NOW + 2 * MINUTE, monkeypatch) == both, "whatever is kept wakes everybody"
    assert looked(project, resting, NOW + 3 * MINUTE, monkeypatch) == []
    assert looked(project, resting, NOW - MINUTE, monkeypatch) == both, "so does a clock that is set back"
    assert looked(project, resting, NOW + 2 * HOUR, monkeypatch) == both, "nobody rests for more than an hour"
    assert looked(project, resting, 20_001 * DAY, monkeypatch) == both, "a window has ended"
    assert looked(project, resting, 20_001 * DAY + 1, monkeypatch) == both, "and whether anybody asked the log knows"
    assert looked(project, None, NOW, monkeypatch) == both


def test_what_runs_on_time_keeps_an_endpoint_awake(project):
    late, catalog = project.endpoints["late"], project.store.catalog
    assert rests_until(project, late, NOW) == NOW + HOUR
    assert rests_until(project, late, 20_001 * DAY - MINUTE) == 20_001 * DAY
    catalog.commit(Policy(endpoint="late", at=NOW, mode="canary", arms=(Arm(name="canary", version=2, share=0.1),)))
    assert rests_until(project, late, NOW) == 0
    catalog.commit(Policy(endpoint="late", at=NOW))
    catalog.commit(Alias(at=NOW, model="late", alias="shadow", version=2, previous=None, because="", actor="test"))
    assert rests_until(project, late, NOW) == 0


def test_trainings_are_waited_for(tmp_path):
    loaded = opened(
        make(tmp_path / "t", **{RULE: f'window="1d", retrain=dt.Retrain(every="20m", cooldown="10m"), {RULE}'})
    )
    late, catalog = loaded.endpoints["late"], loaded.store.catalog
    catalog.commit(window(19_999))
    champion = Alias(
        at=NOW - 5 * MINUTE, model="late", alias="champion", version=1, previous=None, because="", actor="x"
    )
    catalog.commit(champion)
    assert rests_until(loaded, late, NOW) == NOW + 15 * MINUTE, "the schedule counts from the champion"
    catalog.commit(Decision(id="r", at=NOW - MINUTE, about="late", what="retrain", because="x"))
    assert rests_until(loaded, late, NOW) == 0, "a training may be under way"
    catalog.commit(Decision(id="p", at=NOW, about="late", what="refuse", because="x"))
    assert rests_until(loaded, late, NOW) == NOW + 9 * MINUTE, "the cool-down ends first"
    assert rests_until(loaded, late, NOW + HOUR) == 0, "the schedule is overdue"
    loaded.store.close()
