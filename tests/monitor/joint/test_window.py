"""A window's features together, as a monitor looks at them: how seldom where nothing changed, and what it is told."""

from __future__ import annotations

import logging

import msgspec
import numpy as np
import pytest
from tests.monitor.truth import most, sized
from tests.monitor.world import SCHEMA, START, logs

from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import MonitorReport
from drivetrain.monitor.estimate.keeping import keep
from drivetrain.monitor.joint.judge import JOINT
from drivetrain.monitor.joint.window import Earlier
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.rules import judged
from drivetrain.monitor.spec import Drift, Monitor
from drivetrain.monitor.window import Watched, assess

log = logging.getLogger(__name__)
WEEK = 7 * DAY
BOTH = ("classifier", "reconstruction")


def rows(dice, days, a_day, *, since, together=0.8, shock=0.0):
    """Inputs of which two move together; all of a day share something where there is a shock."""
    day = np.repeat(np.arange(days), a_day)
    values = dice.normal(size=(len(day), 6)) + dice.normal(0, shock, (days, 6))[day]
    values[:, 1] = together * values[:, 0] + np.sqrt(1 - together**2) * values[:, 1]
    carrier = dice.choice(10, len(day), p=[0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.003, 0.002])
    night = dice.random(len(day)) < 0.2
    return np.column_stack([values, carrier, night]).astype(float), since + day * DAY + dice.integers(0, DAY, len(day))


def said_of(values):
    return 1 / (1 + np.exp(-values[:, 0]))


def looked_at(dice, *, together=0.8, shock=0.0, a_day=60, against="trailing", drift=None, joint=BOTH, days=7):
    before, ats = rows(dice, 56, a_day, since=START - 56 * DAY, shock=shock)
    values, now = rows(dice, days, a_day, since=START, together=together, shock=shock)
    labels = (dice.random(len(ats)) < said_of(before)).astype(float)
    predictions, feedback = logs(values, said_of(values), now, np.zeros(len(now)))
    return assess(
        predictions,
        feedback,
        monitor=Monitor(endpoint="late", performance=None, drift=drift or Drift(joint=joint)),
        watched=Watched(
            model="late",
            version=1,
            reference=load(profile(before, said_of(before), ats, SCHEMA)),
            earlier=Earlier(before, ats, "trailing") if against == "trailing" else None,
            kept=keep(before, said_of(before), labels, ats, schema=SCHEMA) if against == "evaluation" else None,
        ),
        since=START,
        until=START + days * DAY,
    )


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("shock", [0.0, 0.3])
@pytest.mark.parametrize(
    ("against", "joint"), [("trailing", BOTH[1:]), ("evaluation", BOTH[1:]), ("trailing", BOTH[:1])]
)
def test_nothing_changed_is_said_no_more_often_than_its_part_of_the_rate(shock, against, joint):
    """Days that share something and days that do not: of a rate of .15 a look has its half, .075."""
    tries = sized(60, 200) if joint == BOTH[1:] else sized(30, 200)
    low, told = 0, 0
    for seed in range(tries):
        found = looked_at(np.random.default_rng([seed, 5]), shock=shock, against=against, joint=joint)
        (one,) = found.report.joint
        low += one.p_value <= Drift(joint=joint).part
        told += any(each.rule == JOINT for each in found.findings)
    log.info("%s against %s, days share %.1f: %s of %s below .075, %s told", joint[0], against, shock, low, tries, told)
    assert low <= most(Drift(joint=joint).part, tries)
    assert told <= low


@pytest.mark.parametrize("against", ["trailing", "evaluation"])
def test_days_are_dealt_and_never_hours_of_them(against):
    """Each day has a shock of its own: dealt by hours, every window of three days would be told from those before."""
    for days in (1, 3):
        found = looked_at(np.random.default_rng(3), shock=1.0, against=against, days=days, a_day=600)
        assert found.report.joint == ()
        assert "too few blocks to learn from some and judge by others" in found.report.joint_note
        assert found.report.joint_note.endswith(f"in the reference, {days} in the window")
    found = looked_at(np.random.default_rng(3), shock=1.0, against=against, days=4, joint=BOTH[1:])
    assert [one.null for one in found.report.joint] == ["blocks of 24 hours"]


@pytest.mark.parametrize("against", ["trailing", "evaluation"])
def test_what_moves_together_no_more_is_told_and_named(against):
    found = looked_at(np.random.default_rng(1), together=0.0, against=against, a_day=100)
    assert [one.drifted for one in found.report.joint] == [True, True]
    (finding,) = [one for one in found.findings if one.rule == JOINT]
    assert set(finding.evidence["features"]) == {"x0", "x1"}
    assert finding.evidence["alone"] == []
    assert "None of them drifted alone." in finding.message
    where = "1 was evaluated on" if against == "evaluation" else "1 answered just before"
    assert where in finding.message
    assert {one.against for one in found.report.joint} == {against}
    assert judged(JOINT, found.report, Monitor(endpoint="late", drift=Drift(joint=BOTH)))


def test_where_it_can_not_be_looked_at_that_is_said_and_no_alert_ends():
    found = looked_at(np.random.default_rng(2), against="nothing")
    assert found.report.joint == ()
    assert "no rows of before were kept" in found.report.joint_note
    asked = Monitor(endpoint="late", drift=Drift(joint=BOTH))
    assert not judged(JOINT, found.report, asked)
    assert judged(JOINT, found.report, Monitor(endpoint="late")), "one that nobody asks for any more is kept"
    few = looked_at(np.random.default_rng(2), drift=Drift(joint=BOTH, features=["x0"]))
    assert "fewer than two features" in few.report.joint_note


def test_the_rate_is_split_and_unknown_looks_are_refused():
    assert Drift(joint=BOTH, also=["ks"], false_alarm=0.2).part == pytest.approx(0.05)
    assert Drift().part == 0.15
    with pytest.raises(ProjectError, match="'mmd'"):
        Drift(joint=["mmd"])


def test_reports_of_before_still_load():
    old = MonitorReport(endpoint="e", model="m", version=1, since=0, until=1, predictions=1)
    told = {
        name: each for name, each in msgspec.to_builtins(old).items() if name not in {"joint", "joint_note", "concept"}
    }
    assert msgspec.convert(told, MonitorReport) == old
