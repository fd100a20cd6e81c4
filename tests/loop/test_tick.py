"""What the monitors see, and what follows: alerts, retraining, shadow, promotion, refusal."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests.loop.shop import copy_shop, edit

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.records import Alert, Alias, Decision, Feedback, ModelVersion, MonitorReport, Prediction
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current, point
from drivetrain.serve.log.columns import feedback_frame, feedback_table, predictions_frame, predictions_table

START = micros_of("2026-07-01")
RETRAIN = 'retrain=dt.Retrain(when=["performance"], cooldown="14d")'
CALM = "performance=dt.Performance(metric='roc_auc', drop=0.05, also={}, min_labels=50), drift=None, "


@pytest.fixture
def project(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, CALM + RETRAIN)
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def log(project, days, *, since=START, skill, shadow_skill=None, version=1, shadow=2, a_day=60):
    """Writes answers and labels as if the endpoint had been asked: the greater the skill, the better they agree."""
    dice = random.Random(int(since) % 1_000_003)
    predictions, labels = [], []
    for number in range(days * a_day):
        at = since + number * (DAY // a_day)
        truth = float(dice.random() < 0.3)

        def said(skill: float, truth: float = truth) -> float:
            return min(0.99, max(0.01, 0.3 + skill * (truth - 0.3) + dice.gauss(0, 0.15)))

        answers = [("champion", version, said(skill))]
        if shadow_skill is not None:
            answers.append(("shadow", shadow, said(shadow_skill)))
        for role, of, value in answers:
            predictions.append(
                Prediction(
                    request_id=f"{since}-{number}",
                    row=0,
                    endpoint="returned",
                    at=at,
                    logged_at=at,
                    model="returned",
                    version=of,
                    role=role,
                    entity=f"{since}-{number}",
                    request=msgspec.Raw(b"{}"),
                    values=[0.0] * 8,
                    ages=[0.0],
                    prediction=value,
                    latency_us=100,
                )
            )
        labels.append(
            Feedback(endpoint="returned", label=truth, at=at + HOUR, logged_at=at + HOUR, entity=f"{since}-{number}")
        )
    project.store.tables.append(predictions_table("returned"), predictions_frame(predictions))
    project.store.tables.append(feedback_table("returned"), feedback_frame(labels))


def decided(decisions):
    return [decision.what for decision in decisions]


def second_version(project):
    """A version that differs from the first, registered, not released."""
    first = project.store.catalog.get(ModelVersion, "returned@1")
    second = msgspec.structs.replace(first, version=2, run_id="other")
    project.store.catalog.commit(second)
    return second


def test_a_calm_week_is_reported_and_nothing_follows(project):
    log(project, 7, skill=0.9)
    assert project.tick(START + 6 * DAY) == []
    assert project.store.catalog.find(MonitorReport, "returned") == []
    assert project.tick(START + 7 * DAY) == []
    report = project.store.catalog.find(MonitorReport, "returned")[0]
    assert (report.since, report.until, report.predictions) == (START, START + 7 * DAY, 420)
    assert report.label_share == pytest.approx(1.0, abs=0.02)
    before = project.store.catalog.revision()
    assert project.tick(START + 7 * DAY) == []
    assert project.store.catalog.revision() == before, "a second look at the same moment changes nothing"


def test_windows_follow_one_another_and_empty_ones_are_passed_over(project):
    log(project, 7, skill=0.9)
    log(project, 7, since=START + 28 * DAY, skill=0.9)
    project.tick(START + 40 * DAY)
    spans = [(report.since, report.until) for report in project.store.catalog.find(MonitorReport, "returned")]
    assert spans == [(START + 28 * DAY, START + 35 * DAY), (START, START + 7 * DAY)]


def test_a_real_fall_alerts_retrains_and_says_why(project):
    log(project, 7, skill=0.0)
    decisions = project.tick(START + 7 * DAY)
    assert decided(decisions)[:2] == ["alert", "retrain"]
    alert = project.store.catalog.find(Alert, "returned")[0]
    assert alert.rule == "performance.roc_auc"
    assert alert.message == decisions[0].because
    assert decisions[1].because == alert.message
    assert decided(decisions)[-1] == "refuse", "the data are the same: there is nothing to learn from them"
    assert current(project.store, "returned") == {"champion": 1}


def test_the_cooldown_holds(project):
    log(project, 21, skill=0.0)
    first = project.tick(START + 7 * DAY)
    second = project.tick(START + 14 * DAY)
    third = project.tick(START + 21 * DAY)
    assert ["retrain" in decided(decisions) for decisions in (first, second, third)] == [True, False, True]


def test_an_alert_ends_when_a_window_keeps_the_rule(project):
    log(project, 7, skill=0.0)
    log(project, 7, since=START + 7 * DAY, skill=0.95)
    project.tick(START + 7 * DAY)
    project.tick(START + 14 * DAY)
    alert = project.store.catalog.find(Alert, "returned")[0]
    assert (alert.state, alert.resolved) == ("resolved", START + 14 * DAY)


def test_a_better_shadow_is_promoted_on_the_same_requests(project):
    second_version(project)
    point(project.store, "returned", "shadow", 2, because="to be seen", actor="test", at=START)
    log(project, 7, skill=0.4, shadow_skill=0.9)
    assert "promote" not in decided(project.tick(START + 6 * DAY))
    decisions = project.tick(START + 7 * DAY)
    promoted = next(decision for decision in decisions if decision.what == "promote")
    assert promoted.version == 2
    assert "After 7 days in the shadow of v1" in promoted.because
    assert "champion v1 on the same rows; gain +" in promoted.because
    assert promoted.at == START + 7 * DAY
    assert current(project.store, "returned") == {"champion": 2}


def test_a_worse_shadow_is_refused_and_leaves(project):
    second_version(project)
    point(project.store, "returned", "shadow", 2, because="to be seen", actor="test", at=START)
    log(project, 7, skill=0.9, shadow_skill=0.2)
    decisions = project.tick(START + 7 * DAY)
    refused = next(decision for decision in decisions if decision.what == "refuse")
    assert "gain -" in refused.because
    assert "metrics" in refused.evidence
    assert current(project.store, "returned") == {"champion": 1}
    assert project.store.catalog.get(Alias, "returned:shadow").version is None


def test_a_shadow_of_too_few_days_waits_until_something_is_sure(project):
    second_version(project)
    point(project.store, "returned", "shadow", 2, because="to be seen", actor="test", at=START)
    log(project, 3, skill=0.4, shadow_skill=0.9, a_day=200)
    project.tick(START + 8 * DAY)
    assert current(project.store, "returned") == {"champion": 1, "shadow": 2}
    log(project, 4, since=START + 8 * DAY, skill=0.4, shadow_skill=0.9)
    project.tick(START + 15 * DAY)
    assert current(project.store, "returned")["champion"] == 2


def test_a_shadow_without_labels_waits(project):
    second_version(project)
    point(project.store, "returned", "shadow", 2, because="to be seen", actor="test", at=START)
    log(project, 7, skill=0.9, shadow_skill=0.9, a_day=4)
    project.tick(START + 7 * DAY)
    assert current(project.store, "returned") == {"champion": 1, "shadow": 2}


def test_a_training_that_was_killed_is_carried_on_by_the_next_look(project):
    log(project, 7, skill=0.0)
    killed = Decision(id="killed", at=START + 7 * DAY, about="returned", what="retrain", because="roc_auc fell")
    project.tick(START + 7 * DAY)
    ends = [one for one in project.store.catalog.find(Decision, "returned") if one.what == "refuse"]
    assert len(ends) == 1
    project.store.catalog.commit(msgspec.structs.replace(killed, at=START + 8 * DAY))
    assert decided(project.tick(START + 9 * DAY)) == ["refuse"]
    assert project.tick(START + 9 * DAY) == []
