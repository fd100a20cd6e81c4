from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.core.records import Arm, Policy
from drivetrain.experiment.beliefs import linear_belief, thompson_shares
from drivetrain.experiment.learning import learned
from drivetrain.serve.plan import RequestField
from drivetrain.serve.routing.best import LEAST_SHARE, floored
from drivetrain.serve.routing.router import Router


@pytest.mark.parametrize("counts", [((3, 7), (5, 5)), ((0, 2), (1, 0), (4, 4)), ((40, 60), (52, 48), (45, 55))])
def test_shares_are_how_often_a_draw_of_each_rate_is_the_greatest(counts):
    rewards = [np.repeat([1.0, 0.0], pair) for pair in counts]
    random = np.random.default_rng(1)
    draws = np.stack([random.beta(won + 1, lost + 1, 300_000) for won, lost in counts])
    seen = np.bincount(draws.argmax(axis=0), minlength=len(counts)) / 300_000
    shares, told = thompson_shares(rewards, 0.0)
    assert shares == pytest.approx(seen.tolist(), abs=0.005)
    assert [belief[2] for belief in told] == [sum(pair) for pair in counts]


def test_rewards_that_are_no_truths_have_normal_beliefs():
    random = np.random.default_rng(2)
    rewards = [random.normal(mean, 1.0, 500) for mean in (1.0, 1.5)]
    shares, _ = thompson_shares(rewards, 0.01)
    assert shares[0] == pytest.approx(0.01, abs=0.005)
    assert sum(shares) == pytest.approx(1.0)


def test_nothing_is_known_before_the_first_reward():
    assert thompson_shares([np.array([]), np.array([])], 0.01)[0] == [0.5, 0.5]


def test_no_arm_is_given_up():
    assert floored([1.0, 0.0], 0.02) == [0.98, 0.02]


def test_a_linear_belief_is_the_ridge_posterior():
    random = np.random.default_rng(3)
    rows = np.column_stack([np.ones(400), random.normal(size=(400, 2))])
    rewards = rows @ [1.0, 2.0, -1.0] + random.normal(0, 0.1, 400)
    belief = np.array(linear_belief(rows, rewards, 0.01))
    assert belief[:3] == pytest.approx([1.0, 2.0, -1.0], abs=0.05)
    expected = 0.01 * np.linalg.inv(np.eye(3) + rows.T @ rows)
    assert belief[3:].reshape(3, 3) == pytest.approx(expected)


def _played(policy, rewards, batches, size):
    """A bandit's life: requests are routed, rewarded by chance, learned from; returns its policy and what it took."""
    fields = [RequestField("x", "float")]
    random = np.random.default_rng(7)
    rows = []
    for batch in range(batches):
        router = Router(policy, fields)
        for at in range(size):
            x = float(random.normal())
            way = router.route(f"{batch}-{at}", 0, (x,))
            label = float(random.random() < rewards[way.arm](x))
            rows.append((way.arm, way.probability, 0, 0.5, label, f'{{"x": {x}}}', batch))
        frame = pl.DataFrame(
            rows, ["arm", "probability", "failed", "prediction", "label", "request", "batch"], orient="row"
        )
        arms = learned(policy, frame)
        policy = Policy(endpoint="e", mode=policy.mode, experiment="x", arms=arms, context=policy.context)
    return policy, frame


def arms(*names):
    return tuple(Arm(name=name, version=at, share=1 / len(names)) for at, name in enumerate(names))


def test_a_bandit_finds_the_best_arm_and_keeps_trying_the_others():
    policy = Policy(endpoint="e", mode="thompson", experiment="x", arms=arms("a", "b", "c"))
    policy, rows = _played(policy, {"a": lambda _: 0.1, "b": lambda _: 0.2, "c": lambda _: 0.12}, 20, 200)
    shares = {arm.name: arm.share for arm in policy.arms}
    assert shares["b"] > 0.9
    assert min(shares.values()) >= LEAST_SHARE
    assert rows["label"].mean() > 0.16, "more than 0.14, what arms by chance would have earned"
    weighed = rows.filter(pl.col("arm") == "a").select((pl.col("label") / pl.col("probability")).sum() / rows.height)
    assert weighed.item() == pytest.approx(0.1, abs=0.06), "logged probabilities tell what an arm would have earned"


def test_a_contextual_bandit_learns_which_arm_suits_which_request():
    policy = Policy(endpoint="e", mode="contextual", experiment="x", arms=arms("a", "b"), context=("x",))
    wins = {"a": lambda x: 0.8 if x > 0 else 0.2, "b": lambda x: 0.2 if x > 0 else 0.8}
    policy, rows = _played(policy, wins, 10, 150)
    late = rows.filter(pl.col("batch") >= 5)
    assert late["label"].mean() > 0.68, "0.8 is the best there is, 0.5 what one arm for all would earn"
