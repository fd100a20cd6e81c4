"""A canary's steps, up and down: each rule for all of its states, and what stepping down is worth, in simulations."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import HOUR, SECOND
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Guardrail, Policy, Rollout
from drivetrain.experiment.canary import judge
from drivetrain.experiment.policies import CANARY, Canary, canary_arms
from drivetrain.experiment.sequential import rate_above

LIMIT = 0.02
STEPS = (0.05, 0.25, 0.5)
FAILS = (Guardrail.errors(LIMIT),)
FRAME = {
    "at": pl.Datetime("us", "UTC"),
    "arm": pl.String,
    "probability": pl.Float64,
    "failed": pl.Int64,
    "latency_us": pl.Int64,
    "prediction": pl.Float64,
    "label": pl.Float64,
}


def policy_of(**asked) -> Policy:
    usual = {"version": 2, "steps": STEPS, "hold": HOUR, "least": 100, "guardrails": FAILS}
    return Canary(**(usual | asked)).policy("late", SECOND)


def stepped(policy: Policy, rows: pl.DataFrame, now: int):
    """One look, and the policy that the watch leaves behind."""
    rollout = policy.rollout
    verdict = judge(policy, rollout, rows, now)
    if verdict.step in {"promote", "end"}:
        return verdict, None
    if verdict.step == "hold":
        since = now if verdict.doubts and rollout.doubted is None else rollout.doubted
        return verdict, msgspec.structs.replace(policy, rollout=msgspec.structs.replace(rollout, doubted=since))
    since = None if verdict.step == "up" else now if rollout.doubted is None else rollout.doubted
    rollout = msgspec.structs.replace(rollout, doubted=since)
    return verdict, msgspec.structs.replace(policy, arms=canary_arms(2, verdict.share), at=now, rollout=rollout)


@dataclass
class Life:
    """What a canary lived through."""

    carried: int = 0
    steps: tuple[str, ...] = ()
    doubted: bool = False


def live(policy: Policy, dice: np.random.Generator, answer, *, looks: int, a_look: int = 200) -> Life:
    """Looks at a canary every quarter of an hour; a version that was promoted carries all that is left."""
    life, seen, now = Life(), [], SECOND
    for look in range(looks):
        share = policy.arms[0].share
        own = dice.random(a_look) < share
        fails, prediction, label = answer(dice, own)
        seen.append(
            pl.DataFrame(
                {
                    "at": np.linspace(now + 1, now + HOUR // 4, a_look).astype("int64"),
                    "arm": np.where(own, CANARY, "champion"),
                    "probability": np.where(own, share, 1 - share),
                    "failed": fails.astype("int64"),
                    "latency_us": np.zeros(a_look, "int64"),
                    "prediction": prediction,
                    "label": label,
                }
            ).cast(FRAME)
        )
        life.carried += int(own.sum())
        now += HOUR // 4
        verdict, left = stepped(policy, pl.concat(seen), now)
        life.doubted |= verdict.doubts
        if verdict.step != "hold":
            life.steps += (verdict.step,)
        if left is None:
            life.carried += (looks - look - 1) * a_look if verdict.step == "promote" else 0
            break
        policy = left
    return life


def failing(rate: float):
    """Answers of a canary that fails at a rate."""

    def answer(dice, own):
        truth = (dice.random(len(own)) < 0.3).astype(float)
        return (dice.random(len(own)) < rate) & own, np.full(len(own), 0.3), truth

    return answer


def erring(gap: float):
    """Answers of a canary whose squared error lies a gap above the champion's, on average."""

    def answer(dice, own):
        noise = dice.normal(0, 0.3, len(own)) + np.sqrt(abs(gap)) * own * (gap > 0)
        scale = np.where(own & (gap < 0), np.sqrt(1 + gap / 0.09), 1.0)
        return np.zeros(len(own), bool), 0.5 + noise * scale, np.full(len(own), 0.5)

    return answer


def lives(policy, answer, *, runs=30, looks=40, seed=7):
    return [live(policy, np.random.default_rng([seed, run]), answer, looks=looks) for run in range(runs)]


def share_of(told, what) -> float:
    return float(np.mean([what in life.steps for life in told]))


@pytest.mark.parametrize(
    ("rails", "answer"), [(FAILS, failing(LIMIT)), ((Guardrail.loss(0.02),), erring(0.02))], ids=["errors", "loss"]
)
def test_one_that_keeps_its_limits_is_rarely_doubted(rails, answer):
    """Exactly at its limit, which is as bad as one may be that is within it, and looked at forty times."""
    told = lives(policy_of(guardrails=rails), answer)
    assert np.mean([life.doubted for life in told]) <= 0.25
    assert share_of(told, "down") <= 0.25


@pytest.mark.parametrize(
    ("rails", "answer"),
    [(FAILS, failing(2 * LIMIT)), ((Guardrail.loss(0.02),), erring(0.05))],
    ids=["errors", "loss"],
)
def test_a_worse_one_steps_down_and_carries_fewer_requests(rails, answer):
    careful = lives(policy_of(guardrails=rails), answer)
    careless = lives(policy_of(guardrails=rails, caution=0.0), answer)
    assert share_of(careless, "down") == 0.0
    assert share_of(careful, "down") > 0.25
    assert np.mean([life.carried for life in careful]) < 0.9 * np.mean([life.carried for life in careless])
    assert share_of(careful, "promote") <= share_of(careless, "promote")


@pytest.mark.parametrize(
    ("rails", "answer"),
    [(FAILS, failing(LIMIT / 2)), ((Guardrail.loss(0.02),), erring(-0.03))],
    ids=["errors", "loss"],
)
def test_a_better_one_is_promoted_as_often(rails, answer):
    careful, careless = (lives(policy_of(guardrails=rails, caution=caution), answer) for caution in (0.25, 0.0))
    assert share_of(careful, "promote") >= share_of(careless, "promote") - 0.04
    assert share_of(careful, "promote") >= 0.9


LOOK = st.tuples(st.integers(0, 6), st.integers(0, 200), st.integers(1, 90))


@settings(max_examples=60, deadline=None)
@given(st.lists(LOOK, min_size=1, max_size=14), st.sampled_from([0.0, 0.25, 0.5]))
def test_every_step_follows_from_what_was_seen(looks, caution):
    """Looks of so many failures and good answers, so many minutes after the one before; the rules told once more."""
    policy = policy_of(caution=caution)
    seen, now, bad, of = [], SECOND, 0, 0
    standing = False  # a doubt that was acted on since it last grew
    while looks and policy is not None:
        failures, good, minutes = looks.pop(0)
        at = now + minutes * 30 * SECOND
        now += minutes * 60 * SECOND
        many = failures + good
        seen.append(
            pl.DataFrame(
                {
                    "at": [at] * many,
                    "arm": [CANARY] * many,
                    "probability": [policy.arms[0].share] * many,
                    "failed": [1] * failures + [0] * good,
                    "latency_us": [0] * many,
                    "prediction": [0.5] * many,
                    "label": [None] * many,
                },
                schema_overrides=FRAME,
            )
        )
        bad, of = bad + failures, of + many
        evidence, before, held = rate_above(bad, of, LIMIT), policy.arms[0].share, now - policy.at >= HOUR
        enough = sum(frame.filter(pl.col("at").dt.epoch("us") >= policy.at).height for frame in seen) >= 100
        verdict, policy = stepped(policy, pl.concat(seen), now)
        place = STEPS.index(before)
        if evidence >= 20:
            assert (verdict.step, policy) == ("end", None)
        elif caution and evidence >= 1 / caution:
            falls = place > 0 and (not standing or held)
            assert (verdict.step, verdict.share) == (("down", STEPS[place - 1]) if falls else ("hold", before))
            assert verdict.doubts
            assert "likely more than 2.00%" in verdict.because
            standing = True
        elif not held or not enough:
            assert (verdict.step, verdict.share) == ("hold", before)
        elif before == STEPS[-1]:
            assert (verdict.step, policy) == ("promote", None)
        else:
            assert (verdict.step, verdict.share) == ("up", STEPS[place + 1])
            standing = False
        assert policy is None or policy.arms[0].share == verdict.share


def test_a_rollout_of_before_there_were_doubts_still_loads():
    told = msgspec.json.decode(msgspec.json.encode(policy_of().rollout))
    del told["caution"], told["doubted"]
    rollout = msgspec.json.decode(msgspec.json.encode(told), type=Rollout)
    assert (rollout.caution, rollout.doubted) == (0.25, None)


@pytest.mark.parametrize("caution", [0.01, 0.6, 1.0, -0.1])
def test_a_caution_that_is_none_is_refused(caution):
    with pytest.raises(UsageError, match=r"caution is a probability.*expected 0.05 .* to 0.5, or 0"):
        policy_of(caution=caution)
