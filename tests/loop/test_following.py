"""Errors followed as labels come: a turn is found and told, each label counts once, another version begins anew."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests.loop.shop import command, copy_shop, edit
from tests.loop.test_maturing import come

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Alert, Decision, ErrorStream, ModelVersion, MonitorReport, Prediction
from drivetrain.loop import following
from drivetrain.loop.alerting import keeping
from drivetrain.loop.project import Project
from drivetrain.monitor.reporting.page import to_html
from drivetrain.registry.aliases import point
from drivetrain.serve.log.columns import predictions_frame, predictions_table

START = micros_of("2026-07-01")
WEEK = 7 * DAY
RETRAIN = 'retrain=dt.Retrain(when=["performance"], cooldown="14d")'
FOLLOWED = (
    "performance=dt.Performance(metric='roc_auc', drop=0.5, also={}, calibration=None, min_labels=100, "
    "estimated=False, concept='adwin'), drift=None"
)


@pytest.fixture
def project(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, FOLLOWED)
    loaded = Project.load(folder)
    yield loaded
    loaded.store.close()


def ask(project, days, *, since=START, turned=False, version=1, a_day=60):
    """Answers that are probabilities indeed, or, once the concept has turned, of the contrary; and their labels."""
    dice = random.Random(int(since) % 1_000_003 + version)
    made, labels = [], []
    for number in range(days * a_day):
        at = since + number * (DAY // a_day)
        said = min(0.95, max(0.05, dice.betavariate(1, 3)))
        truth = float(dice.random() < (1 - said if turned else said))
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


def stream(project, version=1):
    return project.store.catalog.get(ErrorStream, f"returned@{version}")


def report(project):
    return project.store.catalog.find(MonitorReport, "returned")[0]


def alerts(project):
    return [(one.rule, one.state) for one in project.store.catalog.find(Alert, "returned")]


def test_a_turn_is_found_told_and_ends_when_errors_do(project, tmp_path):
    come(project, ask(project, 14), after=DAY // 24)
    project.tick(START + WEEK)
    project.tick(START + 2 * WEEK)
    assert report(project).concept.rise is None
    assert report(project).concept.error.value == pytest.approx(0.15, abs=0.03)
    assert alerts(project) == []
    come(project, ask(project, 7, since=START + 2 * WEEK, turned=True), after=DAY // 24)
    told = [one for day in range(1, 8) for one in project.tick(START + 2 * WEEK + day * DAY)]
    assert [one.what for one in told] == ["alert"]
    (alert,) = project.store.catalog.find(Alert, "returned")
    assert (alert.rule, alert.severity, alert.state) == ("concept", "warning", "open")
    assert alert.at <= START + 2 * WEEK + 4 * DAY, "it is told within days, before the window ends"
    assert "v1 errs more than it did: the squared error of the probability is 0." in alert.message
    assert alert.meaning.endswith(
        "answers are wrong more often, or by more, than they were: what the version learned may no longer hold."
    )
    rise = report(project).concept.rise
    assert abs(rise.began - (START + 2 * WEEK)) <= 2 * DAY
    assert rise.before.high < rise.after.low
    page = to_html(project.report("returned"))
    assert "Errors, one by one" in page
    assert "v1 errs more than it did" in page
    command(tmp_path / "shop", "report", "returned", "--output", str(tmp_path / "found.json"))
    told = msgspec.json.decode((tmp_path / "found.json").read_bytes())
    assert told["windows"][-1]["concept"]["rise"]["found"] == rise.found
    come(project, ask(project, 14, since=START + 3 * WEEK), after=DAY // 24)
    for day in range(1, 15):
        project.tick(START + 3 * WEEK + day * DAY)
    assert alerts(project) == [("concept", "resolved")]
    assert report(project).concept.rise is None


def test_each_label_counts_once_however_it_comes(project):
    labels = ask(project, 7)
    come(project, labels[:200], after=DAY // 24)
    project.tick(START + WEEK)
    assert stream(project).seen == 200
    come(project, [(at, entity, 1 - truth) for at, entity, truth in labels[:50]], after=2 * DAY)
    come(project, labels[:100], after=2 * DAY)
    project.tick(START + WEEK + DAY)
    assert stream(project).seen == 200, "a label told again, or otherwise, is no other label"
    come(project, labels[200:], after=3 * DAY)
    revision = project.store.catalog.revision()
    project.tick(START + WEEK + DAY)
    assert project.store.catalog.revision() == revision, "a second look at the same moment changes nothing"
    project.tick(START + WEEK + 2 * DAY)
    assert stream(project).seen == 420
    assert all(one.closed and not one.marks for one in stream(project).days.values())


def test_killed_between_commits_nothing_is_repeated(project, monkeypatch):
    come(project, ask(project, 7), after=DAY // 24)
    whole = keeping.keep_window
    calls = []

    def killed(*args, again=None, **more):
        if again is not None and again.beside:
            calls.append("killed")
            raise KeyboardInterrupt
        return whole(*args, again=again, **more)

    monkeypatch.setattr(following, "keep_window", killed)
    with pytest.raises(KeyboardInterrupt):
        project.tick(START + WEEK)
    assert stream(project) is None
    assert report(project).concept is None
    monkeypatch.setattr(following, "keep_window", whole)
    project.tick(START + WEEK)
    assert (stream(project).seen, report(project).concept.labels) == (420, 420)
    project.tick(START + WEEK)
    assert stream(project).seen == 420


def test_of_two_watchers_one_counts(project, monkeypatch):
    come(project, ask(project, 7), after=DAY // 24)
    advance = following.advance
    inner = []

    def twice(*args):
        if not inner:
            inner.append(True)
            project.tick(START + WEEK)  # the other watcher is quicker
        return advance(*args)

    monkeypatch.setattr(following, "advance", twice)
    project.tick(START + WEEK)
    assert inner
    assert stream(project).seen == 420


def test_another_version_begins_anew_and_its_labels_are_its_own(project):
    come(project, ask(project, 7), after=DAY // 24)
    project.tick(START + WEEK)
    first = project.store.catalog.get(ModelVersion, "returned@1")
    project.store.catalog.commit(msgspec.structs.replace(first, version=2, run_id=first.run_id))
    point(project.store, "returned", "champion", 2, because="new", actor="test", at=START + WEEK)
    come(project, ask(project, 3, since=START + WEEK, version=1), after=DAY // 24)
    come(project, ask(project, 4, since=START + WEEK + 3 * DAY, version=2, turned=True), after=DAY // 24)
    project.tick(START + 2 * WEEK)
    assert (stream(project, 1).seen, stream(project, 2).seen) == (420, 240)
    assert report(project).concept.rise is None, "errors of another version are no change"


def test_it_may_call_for_training(project, tmp_path):
    folder = tmp_path / "shop"
    edit(folder, FOLLOWED, FOLLOWED + ", retrain=dt.Retrain(when=['concept'])")
    eager = Project.load(folder)
    come(eager, ask(eager, 14), after=DAY // 24)
    come(eager, ask(eager, 7, since=START + 2 * WEEK, turned=True), after=DAY // 24)
    eager.tick(START + 3 * WEEK)
    asked = [one for one in eager.store.catalog.find(Decision, "returned") if one.what == "retrain"]
    assert [one.because.split(":")[0] for one in asked] == ["returned"]
    assert "errs more" in asked[0].because
    eager.store.close()


def test_of_many_predictions_a_share_is_followed(project, monkeypatch):
    monkeypatch.setattr(following, "MOST", 20)
    labels = ask(project, 7)
    come(project, labels[::2], after=DAY // 24)
    project.tick(START + WEEK)
    half = stream(project).seen
    assert 40 <= half <= 100
    come(project, labels[1::2], after=DAY // 24)
    project.tick(START + WEEK + DAY)
    assert 100 <= stream(project).seen <= 190
    come(project, labels, after=2 * DAY)
    project.tick(START + WEEK + 2 * DAY)
    assert stream(project).seen <= 190


def test_no_more_is_joined_than_is_followed_and_empty_days_are_read_no_more(project, monkeypatch):
    monkeypatch.setattr(following, "MOST", 20)
    come(project, ask(project, 7), after=DAY // 24)
    ask(project, 1, since=START + 20 * DAY)
    joined, join = [], following.join_labels

    def spied(predictions, feedback, **more):
        joined.append((predictions.height, feedback.height))
        return join(predictions, feedback, **more)

    monkeypatch.setattr(following, "join_labels", spied)
    project.tick(START + 30 * DAY)
    (both,) = joined
    assert 80 <= both[0] <= 250, "420 were answered and 60 more: of each day some twenty are followed"
    assert both[1] <= both[0], "and of 420 labels those of theirs are read"
    first = START // DAY
    days = stream(project).days
    assert {day - first for day, one in days.items() if not one.closed} == {20}
    assert {day - first for day in days} == set(range(23)), "later days may have predictions that are logged late"


def test_where_every_day_is_closed_there_is_nothing_to_read(project):
    come(project, ask(project, 7), after=DAY // 24)
    project.tick(START + WEEK)
    held = stream(project)
    first = START // DAY
    assert all(one.closed for one in held.days.values())
    closed = msgspec.structs.replace(held, days=held.days | {first + day: held.days[first] for day in range(7, 9)})
    fresh = following._uncounted(project.store, closed, START + 8 * DAY)  # the clock was ahead
    assert fresh.rows.is_empty()
