"""Experiments of a window: as they were when they were under way, whatever is in force today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from drivetrain.core.clock import micros_of
from drivetrain.core.records import Guardrail, MonitorReport, Policy
from drivetrain.experiment.policies import Canary, Split
from drivetrain.loop.experimenting import _seen, of_chance
from drivetrain.loop.maturing import merged
from drivetrain.monitor.labels import LABEL

BEGIN = datetime(2026, 8, 1, tzinfo=UTC)
CANARY = Canary(version=2, guardrails=(Guardrail.errors(0.02),)).policy("late", micros_of("2026-08-01"))


def rows_of(*told: tuple[str, int, str, float], failed: int = 0) -> pl.DataFrame:
    """Arm, version, role and label of one answer a minute."""
    return pl.DataFrame(
        {
            "at": [BEGIN + timedelta(minutes=minute) for minute in range(len(told))],
            "arm": [one[0] for one in told],
            "version": [one[1] for one in told],
            "role": [one[2] for one in told],
            LABEL: [one[3] for one in told],
            "failed": failed,
            "latency_us": 300,
            "probability": 0.5,
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )


def report_of(experiment) -> MonitorReport:
    return MonitorReport(
        at=0, endpoint="late", model="late", version=1, since=0, until=1, predictions=9, experiments=(experiment,)
    )


def test_a_window_seen_again_keeps_what_was_known_of_its_experiments():
    rows = rows_of(("canary", 2, "challenger", 1.0), ("champion", 1, "champion", 0.0))
    name = CANARY.experiment
    before = report_of(_seen(name, rows, CANARY))
    for today in (None, Policy(at=1, endpoint="late")):
        [again] = merged(before, report_of(_seen(name, rows, today))).experiments
        assert (again.mode, again.guardrails) == ("canary", ("at most 2 % left to others",))
        assert [arm.version for arm in again.arms] == [2, 0]


def test_an_arm_s_version_is_that_of_who_answered():
    """The experiment goes on under its name with another version: the window was answered by the one before."""
    rows = rows_of(("a", 1, "champion", 0.0), *[("b", 2, "challenger", 1.0)] * 3, ("b", 3, "challenger", 1.0))
    today = Split(experiment="x", arms={"a": None, "b": 4}).policy("late", 1)
    assert [arm.version for arm in _seen("x", rows, today).arms] == [0, 2]
    silent = rows_of(("a", 1, "champion", 0.0), ("b", 1, "champion", 1.0), failed=2)
    assert [arm.version for arm in _seen("x", silent, today).arms] == [0, 4]


def test_what_is_certain_is_an_override_only_where_there_are_some():
    rows = rows_of(*[("a", 1, "champion", 0.0)] * 4).with_columns(probability=pl.Series([1.0, 1.0, 1.0, 0.5]))
    split = Split(experiment="x", arms={"a": None, "b": 4}).policy("late", 1)
    asked = Split(experiment="x", arms={"a": None, "b": 4}, overrides={"me": "a"}).policy("late", 1)
    assert [of_chance(rows, "x", policy).height for policy in (split, asked, None)] == [4, 1, 1]
    certain = rows.with_columns(probability=pl.lit(1.0))
    assert [of_chance(certain, "x", policy).height for policy in (split, None)] == [4, 4], "all go one way"


def test_a_canary_is_shown_beside_the_champion_it_is_held_against():
    rows = rows_of(
        *[("champion", 1, "champion", 1.0), ("canary", 2, "challenger", 1.0)] * 5,
        *[("champion", 3, "champion", 0.0), ("canary", 2, "challenger", 0.0)] * 4,
    )
    canary, champion = _seen(CANARY.experiment, rows, CANARY).arms
    assert (canary.answers, champion.answers) == (9, 9)
    assert (canary.labelled, champion.labelled) == (4, 4)
    assert canary.label.value == champion.label.value == 0.0
