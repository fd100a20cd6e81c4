"""Labels that come after their window was looked at."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests.loop.shop import copy_shop, edit

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Alert, Feedback, ModelVersion, MonitorReport, Prediction
from drivetrain.loop import maturing
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import point
from drivetrain.serve.log.columns import feedback_frame, feedback_table, predictions_frame, predictions_table

START = micros_of("2026-07-01")
WEEK = 7 * DAY
RETRAIN = 'retrain=dt.Retrain(when=["performance"], cooldown="14d")'
CALM = "performance=dt.Performance(metric='roc_auc', drop=0.05, also={}, min_labels=50), drift=None"


@pytest.fixture
def project(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, CALM)
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def ask(project, *, since=START, skill=0.0, version=1, a_day=60):
    """Answers of a week, and the labels that will come for them."""
    dice = random.Random(int(since) % 1_000_003)
    made, labels = [], []
    for number in range(7 * a_day):
        at = since + number * (DAY // a_day)
        truth = float(dice.random() < 0.3)
        said = min(0.99, max(0.01, 0.3 + skill * (truth - 0.3) + dice.gauss(0, 0.15)))
        made.append(
            Prediction(
                request_id=f"{since}-{number}", row=0, endpoint="returned", at=at, logged_at=at, model="returned",
                version=version, role="champion", entity=f"{since}-{number}", request=msgspec.Raw(b"{}"),
                values=[0.0] * 8, ages=[0.0], prediction=said, latency_us=100,
            )
        )  # fmt: skip
        labels.append((at, f"{since}-{number}", truth))
    project.store.tables.append(predictions_table("returned"), predictions_frame(made))
    return labels


def come(project, labels, *, after):
    rows = [
        Feedback(endpoint="returned", label=truth, at=at + after, logged_at=at + after, entity=entity)
        for at, entity, truth in labels
    ]
    project.store.tables.append(feedback_table("returned"), feedback_frame(rows))


def reports(project):
    return sorted(project.store.catalog.find(MonitorReport, "returned"), key=lambda one: one.since)


def alerts(project):
    return [(one.rule, one.state) for one in project.store.catalog.find(Alert, "returned")]


def test_a_window_is_measured_when_its_labels_have_come(project):
    labels = ask(project)
    come(project, labels[:20], after=DAY)
    project.tick(START + WEEK)
    (before,) = reports(project)
    assert (before.labelled, before.performance.get("roc_auc")) == (20, before.performance["roc_auc"])
    assert before.estimated["roc_auc"].value > 0.5
    assert alerts(project) == []
    come(project, labels[20:], after=5 * DAY)
    project.tick(START + WEEK + 3 * DAY)
    assert reports(project) == [before], "it is left alone for half its length"
    decisions = project.tick(START + WEEK + 4 * DAY)
    (after,) = reports(project)
    assert (after.labelled, after.at, after.estimated) == (420, before.at, before.estimated)
    assert after.performance["roc_auc"].high < 0.65
    assert after.maturity.seen == START + WEEK + 4 * DAY
    assert alerts(project) == [("performance.roc_auc", "open")]
    assert [decision.what for decision in decisions] == ["alert"]
    revision = project.store.catalog.revision()
    assert project.tick(START + WEEK + 30 * DAY) == []
    assert project.store.catalog.revision() == revision, "all labels are there: nothing is left to look for"


def test_it_is_looked_at_ever_more_rarely(project):
    labels = ask(project, skill=0.9)
    come(project, labels[:300], after=DAY)
    project.tick(START + WEEK)
    seen = []
    for days in range(1, 40):
        project.tick(START + WEEK + days * DAY)
        seen.append((reports(project)[0].maturity.seen - START - WEEK) // DAY)
    assert sorted(set(seen)) == [0, 4, 8, 16, 32]


def test_feedback_of_other_windows_is_not_brought_together(project, monkeypatch):
    labels = ask(project, skill=0.9)
    come(project, labels[:300], after=DAY)
    project.tick(START + WEEK)
    for week in range(1, 4):
        come(project, ask(project, since=START + week * WEEK, skill=0.9), after=DAY)
    met: list[int] = []
    join = maturing.join_labels
    monkeypatch.setattr(
        maturing, "join_labels", lambda rows, told, **more: met.append(told.height) or join(rows, told, **more)
    )
    (report,) = reports(project)
    assert maturing._labelled(project.store, report) == 300
    assert met == [300]


def test_the_version_that_answered_is_judged(project):
    labels = ask(project, skill=0.9)
    come(project, labels[:100], after=DAY)
    project.tick(START + WEEK)
    first = project.store.catalog.get(ModelVersion, "returned@1")
    project.store.catalog.commit(msgspec.structs.replace(first, version=2, run_id="other"))
    point(project.store, "returned", "champion", 2, because="new", actor="test", at=START + WEEK)
    come(project, labels[100:], after=2 * DAY)
    project.tick(START + WEEK + 4 * DAY)
    (report,) = reports(project)
    assert (report.version, report.labelled, report.performance["roc_auc"].count) == (1, 420, 420)


def test_an_old_window_does_not_say_how_things_stand(project):
    first = ask(project, skill=0.0)
    come(project, first[:10], after=DAY)
    project.tick(START + WEEK)
    second = ask(project, since=START + WEEK, skill=0.9)
    come(project, second, after=DAY)
    project.tick(START + 2 * WEEK)
    come(project, first[10:], after=DAY)
    project.tick(START + 3 * WEEK)
    old, new = reports(project)
    assert (old.labelled, new.labelled) == (420, 420)
    assert old.performance["roc_auc"].high < 0.65
    assert alerts(project) == []
