"""A canary's life by what the log says: ended, held, grown, promoted; and bandits that learn from it."""

from __future__ import annotations

import random

import msgspec
import polars as pl
import pytest
from tests.loop.shop import command, copy_shop
from tests.loop.test_tick import second_version

import drivetrain as dt
from drivetrain.core.clock import DAY, HOUR, MINUTE, micros_of
from drivetrain.core.errors import GateRefused, ProjectError, UnknownName, UsageError
from drivetrain.core.records import Decision, Feedback, ModelVersion, Policy, Prediction
from drivetrain.loop import routing
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current, point
from drivetrain.serve.log.columns import feedback_frame, feedback_table, predictions_frame, predictions_table

START = micros_of("2026-08-01")
CANARY = dt.Canary(
    version=2,
    steps=(0.2, 0.5),
    hold="1d",
    least=60,
    guardrails=(dt.Guardrail.errors(0.02), dt.Guardrail.slow("50ms", 0.05), dt.Guardrail.loss(0.01)),
)


@pytest.fixture
def project(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    second_version(loaded)
    yield loaded
    loaded.store.close()


def live(project, since, *, days=2, a_day=400, skill=0.8, canary=0.8, fails=0.0, slow=0.0, gains=0.0, champion=1):
    """Requests as workers answer and log them under the policy that stands, and their labels an hour later."""
    policy = project.store.catalog.get(Policy, "returned")
    dice = random.Random(since % 1_000_003)
    predictions, labels = [], []
    for number in range(days * a_day):
        at = since + number * (DAY // a_day)
        truth = float(dice.random() < 0.3)
        drawn = dice.random()
        arm = next((one for one in policy.arms if (drawn := drawn - one.share) < 0), None)
        own = arm is not None and arm.version == 2
        failed = own and dice.random() < fails
        good = canary if own and not failed else skill
        predictions.append(
            Prediction(
                request_id=f"{since}-{number}",
                row=0,
                endpoint="returned",
                at=at,
                logged_at=at,
                model="returned",
                version=2 if own and not failed else champion,
                role="challenger" if own and not failed else "champion",
                entity=f"{since}-{number}",
                request=msgspec.Raw(b"{}"),
                values=[0.0] * 8,
                ages=[0.0],
                prediction=min(0.99, max(0.01, 0.3 + good * (truth - 0.3) + dice.gauss(0, 0.15))),
                latency_us=90_000 if own and dice.random() < slow else 300,
                experiment=policy.experiment,
                arm=arm.name if arm else "",
                probability=arm.share if arm else 1.0,
                failed=2 if failed else 0,
            )
        )
        labels.append(
            Feedback(
                endpoint="returned",
                label=truth + gains * own,
                at=at + HOUR,
                logged_at=at + HOUR,
                entity=f"{since}-{number}",
            )
        )
    project.store.tables.append(predictions_table("returned"), predictions_frame(predictions))
    project.store.tables.append(feedback_table("returned"), feedback_frame(labels))
    return since + days * DAY


def share_of_canary(project):
    return next((arm.share for arm in project.store.catalog.get(Policy, "returned").arms if arm.version == 2), 0.0)


def decided(decisions):
    return [one.because for one in decisions if one.what == "route"]


def test_a_good_canary_grows_and_becomes_champion(project):
    project.route("returned", CANARY, because="better on paper", at=START)
    moment = START
    shares = []
    for _ in range(12):
        moment = live(project, moment, canary=0.95)
        ids = [one.id for one in project.tick(moment + 2 * HOUR)]
        assert len(ids) == len(set(ids)), "each decision is told once"
        shares.append(share_of_canary(project))
        if current(project.store, "returned")["champion"] == 2:
            break
    assert shares[0] == 0.5, "the first step was held long enough, with enough answers"
    assert current(project.store, "returned")["champion"] == 2
    assert project.store.catalog.get(Policy, "returned").mode == "champion"
    told = [one.because for one in project.store.catalog.find(Decision, "returned")]
    assert any("goes up to 50%" in words for words in told)
    assert any("becomes champion" in words and "mean squared error lies -" in words for words in told)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"canary": -0.8}, "mean squared error lies +"),
        ({"fails": 0.3}, "were left to others, more than 2.00%"),
        ({"slow": 0.5}, "took longer than 50ms, more than 5.00%"),
    ],
)
def test_a_bad_canary_is_ended_by_itself(project, what, said):
    project.route("returned", CANARY, because="who knows", at=START)
    moment = START
    made = []
    while "is ended" not in "".join(made) and moment < START + 20 * DAY:
        moment = live(project, moment, **what)
        made += decided(project.tick(moment + 2 * HOUR))
    assert "canary v2 is ended" in made[-1]
    assert said in made[-1]
    assert all("is doubted, and stays at 20%" in words for words in made[:-1])
    assert project.store.catalog.get(Policy, "returned").mode == "champion"
    assert current(project.store, "returned")["champion"] == 1
    assert decided(project.tick(moment + 3 * HOUR)) == []


def test_a_canary_that_is_doubted_steps_down_and_climbs_again(project):
    """It fails a little too often for a while at its second step: told with figures, once a step, everywhere."""
    calm = dt.Canary(version=2, steps=(0.2, 0.5), hold="1d", least=60, guardrails=(dt.Guardrail.errors(0.02),))
    project.route("returned", calm, because="who knows", at=START)
    moment = live(project, START)
    project.tick(moment + 2 * HOUR)
    assert share_of_canary(project) == 0.5
    moment = live(project, moment, fails=0.075)
    made = decided(project.tick(moment + 2 * HOUR))
    assert "canary v2 goes down to 20%: " in made[0]
    assert "were left to others, likely more than 2.00%" in made[0]
    assert "doubted in 25% of cases at most, and ended in 5%" in made[0]
    policy = project.store.catalog.get(Policy, "returned")
    assert policy.because == made[0]
    assert policy.rollout.doubted == policy.at == moment + 2 * HOUR
    assert "doubted" in command(project.folder, "status").stdout
    assert made[0] in [one.because for one in project.store.catalog.find(Decision, "returned")]
    assert decided(project.tick(moment + 3 * HOUR)) == []
    assert share_of_canary(project) == 0.2, "a doubt that stands is told once, and the first step is the last"
    while share_of_canary(project) == 0.2 and moment < START + 30 * DAY:
        moment = live(project, moment)
        made = decided(project.tick(moment + 2 * HOUR))
    assert "canary v2 goes up to 50%" in made[0]
    assert project.store.catalog.get(Policy, "returned").rollout.doubted is None


def test_a_canary_is_held_against_the_champion_that_stands_alone(project):
    """It is better than the champion it began beside, and worse than the one that took its place."""
    third = third_version(project)
    asked = dt.Canary(version=2, steps=(0.5,), hold="1d", least=60, guardrails=(dt.Guardrail.loss(0.01),))
    project.route("returned", asked, because="better than v1", at=START)
    moment = live(project, START, days=6, a_day=600, skill=-0.5, canary=0.4)
    point(project.store, "returned", "champion", third, because="the best", actor="me", at=moment)
    made = decided(project.tick(moment + HOUR))
    assert current(project.store, "returned")["champion"] == third, "it never met the champion of today"
    while "is ended" not in "".join(made) and moment < START + 30 * DAY:
        moment = live(project, moment, skill=0.98, canary=0.4, champion=third)
        made += decided(project.tick(moment + 2 * HOUR))
        assert current(project.store, "returned")["champion"] == third
    assert "mean squared error lies +" in made[-1]


def test_who_became_champion_while_a_canary_was_judged_stays_champion(project, monkeypatch):
    third = third_version(project)
    quick = dt.Canary(version=2, steps=(0.5,), hold="1d", least=60, guardrails=(dt.Guardrail.errors(0.02),))
    project.route("returned", quick, because="new", at=START)
    moment = live(project, START)
    judge = routing.judge

    def overtaken(*seen):
        verdict = judge(*seen)
        assert verdict.step == "promote"
        point(project.store, "returned", "champion", third, because="the best", actor="me", at=moment)
        return verdict

    monkeypatch.setattr(routing, "judge", overtaken)
    assert decided(project.tick(moment + 2 * HOUR)) == []
    assert current(project.store, "returned")["champion"] == third
    assert project.store.catalog.get(Policy, "returned").mode == "canary"


def third_version(project):
    """One more version, which is as the second."""
    second = project.store.catalog.get(ModelVersion, "returned@2")
    project.store.catalog.commit(msgspec.structs.replace(second, version=3))
    return 3


@pytest.mark.parametrize(("better", "gains"), [("higher", -0.3), ("lower", 0.3)])
def test_what_the_business_gets_of_it_decides_too(project, better, gains):
    """The same canary brings less, and is ended, or more, and becomes champion; predictions are as good either way."""
    rail = dt.Guardrail.outcome(0.02, better=better)
    asked = dt.Canary(version=2, steps=(0.5,), hold="1d", least=60, guardrails=(rail,))
    ends = {}
    for sign, began in ((1, START), (-1, START + 30 * DAY)):
        project.route("returned", asked, because="does it sell?", at=began)
        moment, made = began, []
        while project.store.catalog.get(Policy, "returned").mode == "canary" and moment < began + 20 * DAY:
            moment = live(project, moment, gains=gains * sign)
            made = decided(project.tick(moment + 2 * HOUR))
        ends[sign] = made[0]
    worse = "-" if better == "higher" else "+"
    assert f"canary v2 is ended: Its mean label lies {worse}0." in ends[1]
    assert f"borne is {worse}0.0200" in ends[1]
    assert "canary v2 becomes champion" in ends[-1]


def test_a_canary_is_held_until_it_has_shown_enough(project):
    project.route("returned", CANARY, because="new", at=START)
    live(project, START, days=1, a_day=100)
    assert decided(project.tick(START + 2 * HOUR)) == []
    assert decided(project.tick(START + DAY + 2 * HOUR)) == []
    assert share_of_canary(project) == 0.2


def test_one_that_is_no_better_waits_at_the_last_step(project):
    """As good as the champion, and borne is nothing above it: nobody can be sure."""
    strict = dt.Canary(version=2, steps=(0.5,), hold="1d", least=60, guardrails=(dt.Guardrail.loss(0.0),))
    project.route("returned", strict, because="new", at=START)
    moment = live(project, START)
    assert decided(project.tick(moment + 2 * HOUR)) == []
    assert current(project.store, "returned")["champion"] == 1


def test_who_changes_the_policy_meanwhile_is_not_overruled(project, monkeypatch):
    project.route("returned", CANARY, because="new", at=START)
    moment = live(project, START)
    find = project.store.catalog.record_revision

    def late(ref):
        revision = find(ref)
        monkeypatch.undo()
        project.route("returned", None, because="a person says so")
        return revision

    monkeypatch.setattr(project.store.catalog, "record_revision", late)
    assert decided(project.tick(moment + 2 * HOUR)) == []
    assert project.store.catalog.get(Policy, "returned").because == "a person says so"


def test_who_tests_a_canary_counts_in_no_figure(project):
    sure = dt.Canary(version=2, steps=(0.2,), hold="1d", least=60, overrides={"tester": "canary"})
    project.route("returned", sure, because="who knows", at=START)
    policy = project.store.catalog.get(Policy, "returned")
    assert policy.overrides == {"tester": "canary"}
    moment = live(project, START)
    canary, champion = policy.arms
    certain = (msgspec.structs.replace(canary, share=1.0), msgspec.structs.replace(champion, share=0.0))
    project.store.catalog.commit(msgspec.structs.replace(policy, arms=certain))
    live(project, START + HOUR, fails=1.0)  # what is sent the canary's way with certainty fails every time
    project.store.catalog.commit(policy)
    [said] = decided(project.tick(moment + 2 * HOUR))
    assert "becomes champion" in said
    assert " 0 of 1" in said


@pytest.mark.parametrize(("context", "read"), [((), False), (("amount",), True)])
def test_no_more_of_the_log_is_read_than_is_looked_at(project, monkeypatch, context, read):
    bandit = dt.Bandit(experiment="b", arms={"old": None, "new": 2}, context=context)
    project.route("returned", bandit, because="b", at=START)
    live(project, START)
    seen = []
    monkeypatch.setattr(routing, "join_labels", lambda rows, told, **_: seen.extend((rows, told)) or rows.head(0))
    with pytest.raises(pl.exceptions.PolarsError):
        routing.follow_policy(project, project.endpoints["returned"], START + 3 * DAY)
    rows, told = seen
    assert rows.height == told.height == 800
    assert ("request" in rows.columns) == read
    assert not {"values", "ages", "outputs"} & set(rows.columns)


def test_a_bandit_learns_from_the_log(project):
    project.route(
        "returned", dt.Bandit(experiment="b", arms={"old": None, "new": 2}, reward="correct"), because="b", at=START
    )
    moment = live(project, START, canary=0.95, skill=-0.5)
    project.tick(moment + 2 * HOUR)
    shares = {arm.name: arm.share for arm in project.store.catalog.get(Policy, "returned").arms}
    assert shares["new"] > 0.95
    revision = project.store.catalog.record_revision("policy:returned")
    project.tick(moment + 2 * HOUR + MINUTE)
    assert project.store.catalog.record_revision("policy:returned") == revision, "nothing new was learned"


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        (dt.Canary(version=0), UsageError, "needs a version"),
        (dt.Canary(version=1), UsageError, "is champion: it has nobody"),
        (dt.Canary(version=9), UnknownName, "has no version 9"),
        (dt.Canary(version=2, steps=(0.5, 0.2)), UsageError, "shares that grow"),
        (dt.Canary(version=2, unit=("nobody",)), ProjectError, "sticks to 'nobody'"),
        (
            dt.Canary(version=2, overrides={"me": "new"}),
            UsageError,
            "names no arm; found new; expected canary, champion",
        ),
        (dt.Bandit(experiment="x", arms={"a": 1, "b": 2}, overrides={"me": "c"}), UsageError, "names no arm"),
        (dt.Split(experiment="x", arms={"one": 1}), UsageError, "two arms or more"),
        (dt.Split(experiment="x", arms={"a": 1, "b": 2}, shares={"a": 0.5, "b": 0.6}), UsageError, "add up to 1"),
        (dt.Split(experiment="x", arms={"a": 1, "b": 2}, overrides={"me": "c"}), UsageError, "names no arm"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(project, asked, error, said):
    with pytest.raises(error, match=said):
        project.route("returned", asked, because="why not")
    with pytest.raises(UsageError, match="needs a reason"):
        project.route("returned", None, because=" ")
    assert project.store.catalog.get(Policy, "returned") is None


def test_a_version_its_gates_refused_answers_nobody(project):
    second = second_version(project)
    refused = msgspec.structs.replace(second.gates.outcomes[0], passed=False)
    gates = msgspec.structs.replace(second.gates, outcomes=(refused,))
    project.store.catalog.commit(msgspec.structs.replace(second, gates=gates))
    with pytest.raises(GateRefused, match="may not answer requests"):
        project.route("returned", dt.Canary(version=2), because="why not")


def test_the_command_sets_a_policy_and_status_tells_it(project):
    folder = project.folder
    told = command(
        folder, "route", "split", "--experiment", "p", "--arm", "a:70%", "--arm", "b=2:0.3", "--because", "x"
    )
    assert told.stdout.strip() == "returned: split p: a (champion) 70%, b v2 30%"
    stands = command(folder, "status").stdout
    assert "answers by its policy" in stands
    assert "split p: a (champion) 70%, b v2 30%" in stands
    told = command(folder, "route", "canary", "--version", "2", "--slow", "50ms:5%", "--loss", "0.01", "--because", "x")
    assert "canary v2 5%" in told.stdout.replace("canary canary-", "")
    rails = ["--errors", "", "--outcome", "0.01:lower", "--caution", "10%"]
    told = command(
        folder, "route", "canary", "--version", "2", *rails, "--override", "me=canary", "--because", "x", "--json"
    )
    policy = msgspec.json.decode(told.stdout, type=Policy)
    assert policy.overrides == {"me": "canary"}
    assert policy.rollout.caution == 0.1
    assert policy.rollout.guardrails == (dt.Guardrail.outcome(0.01, better="lower"),)
    for odd in ("much", "-1", "0.1:worse"):
        assert command(folder, "route", "canary", "--outcome", odd, "--because", "x", check=False).returncode == 2
    told = command(folder, "route", "champion", "--because", "x")
    assert told.stdout.strip() == "returned: the champion answers everything"
    told = command(folder, "route", "canary", "--version", "2", "--steps", "many", "--because", "x", check=False)
    assert told.returncode == 2
    assert "not a share" in told.stderr
