"""Features that no longer move together, each alike alone: found by a look, named, and told."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tests.loop.shop import copy_shop, edit

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Alert, ModelVersion, MonitorReport, Prediction
from drivetrain.loop.project import Project
from drivetrain.monitor.reference import load
from drivetrain.serve.log.columns import predictions_frame, predictions_table

START = micros_of("2026-07-01")
WEEK = 7 * DAY
RETRAIN = 'retrain=dt.Retrain(when=["performance"], cooldown="14d")'
TOGETHER = (
    "performance=None, drift=dt.Drift(joint=['classifier', 'reconstruction'], reference='trailing', trailing='56d')"
)


@pytest.fixture
def project(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, TOGETHER)
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def numbers(project):
    """Names and places of the numbers that the version reads."""
    version = project.store.catalog.get(ModelVersion, "returned@1")
    columns = load(project.store.blobs.get(version.reference)).columns
    return [(column.name, at) for at, column in enumerate(columns) if column.type == "number"], len(columns)


def ask(project, weeks, *, since=START, together=True, a_day=60):
    """Answers to inputs whose first two numbers move together, or do not; each alone is the same whatever they do."""
    known, width = numbers(project)
    (_, one), (_, other) = known[:2]
    dice = np.random.default_rng([int(since) % 1_000_003, together])
    many = weeks * 7 * a_day
    values = dice.normal(size=(many, width))
    for at in set(range(width)) - {place for _, place in known}:
        values[:, at] = dice.integers(0, 2, many)
    if together:
        values[:, other] = 0.9 * values[:, one] + np.sqrt(1 - 0.81) * values[:, other]
    made = [
        Prediction(
            request_id=f"{since}-{number}", row=0, endpoint="returned", at=since + number * (DAY // a_day),
            logged_at=since + number * (DAY // a_day), model="returned", version=1, role="champion",
            entity=f"{since}-{number}", request=msgspec.Raw(b"{}"), values=values[number].tolist(), ages=[0.0],
            prediction=float(dice.random()), latency_us=100,
        )
        for number in range(many)
    ]  # fmt: skip
    project.store.tables.append(predictions_table("returned"), predictions_frame(made))


def report(project):
    return project.store.catalog.find(MonitorReport, "returned")[0]


def rules(project):
    return {one.rule for one in project.store.catalog.find(Alert, "returned") if one.state == "open"}


def test_what_moves_together_no_more_is_found_named_and_told(project):
    ask(project, 7)
    project.tick(START + 7 * WEEK)
    calm = report(project)
    assert [one.name for one in calm.joint] == ["classifier", "reconstruction"]
    assert not any(one.drifted for one in calm.joint), calm.joint
    assert {one.against for one in calm.joint} == {"trailing"}
    assert "drift.joint" not in rules(project)
    ask(project, 1, since=START + 7 * WEEK, together=False)
    project.tick(START + 8 * WEEK)
    found = report(project)
    names = {name for name, _ in numbers(project)[0][:2]}
    assert all(one.drifted and set(list(one.importance)[:2]) == names for one in found.joint), found.joint
    assert found.against == "trailing"
    assert not [one.feature for one in found.drift if one.drifted], "none is unlike by itself"
    alert = project.store.catalog.find(Alert, "returned")[0]
    assert (alert.rule, alert.state) == ("drift.joint", "open")
    assert "rows that v1 answered just before: trees that learned on other days tell the two apart" in alert.message
    assert "None of them drifted alone." in alert.message
    assert set(msgspec.json.decode(alert.evidence)["features"]) >= names
    ask(project, 3, since=START + 8 * WEEK)
    project.tick(START + 11 * WEEK)
    assert "drift.joint" not in rules(project), "it ends when windows are like those before again"


def test_with_no_history_it_is_held_against_the_evaluation_and_says_so(project):
    ask(project, 1)
    project.tick(START + WEEK)
    found = report(project)
    assert {one.against for one in found.joint} <= {"evaluation"}
    assert "too few" in found.joint_note or "not looked at" in found.joint_note
