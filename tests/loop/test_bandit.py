"""Bandits end to end: a real server answers, callers tell what came of it, the watch learns, requests go by that."""

from __future__ import annotations

import random
import time
from math import erf, sqrt

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.loop.shop import ORDER, copy_shop, serving
from tests.loop.test_tick import second_version

import drivetrain as dt
from drivetrain.core.clock import now
from drivetrain.core.records import Policy
from drivetrain.loop.project import Project
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.compact import compact

ROUND = 400
SMALL, LARGE = 20.0, 200.0
ARMS = {"old": None, "new": 2}


@pytest.fixture
def project(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    second_version(loaded)
    yield loaded
    loaded.store.close()


def asked(client, dice) -> tuple[str, list[float], list[str]]:
    """One round of orders, small and large: its id, their amounts, the arms they met."""
    amounts = [dice.choice((SMALL, LARGE)) for _ in range(ROUND)]
    orders = [ORDER | {"order_id": f"o{dice.random()}", "amount": amount} for amount in amounts]
    answer = client.predict("returned", orders)
    return answer["request_id"], amounts, answer["arms"]


def learned_from_one_round(project, earns) -> tuple[list[float], list[str], pl.DataFrame, Policy]:
    """A round under equal shares, what it earned, a look of the watch, and a second round: with its log, its policy."""
    dice = random.Random(11)
    with serving(project.folder) as client:
        request, amounts, arms = asked(client, dice)
        assert abs(arms.count("new") / ROUND - 0.5) < 0.1, "nothing is known yet"
        rewards = [float(dice.random() < earns(arm, amount)) for arm, amount in zip(arms, amounts, strict=True)]
        labels = [{"request_id": request, "row": row, "label": label} for row, label in enumerate(rewards)]
        assert client.feedback("returned", labels) == {"accepted": ROUND}
        project.tick(now())
        time.sleep(1.0)
        request, amounts, arms = asked(client, dice)
    compact(project.store, project.log_folder, "returned")
    logged = project.store.tables.scan(predictions_table("returned")).filter(pl.col("request_id") == request)
    logged = logged.sort("row").collect()
    assert logged["arm"].to_list() == arms
    return amounts, arms, logged, project.store.catalog.get(Policy, "returned")


def test_a_contextual_bandit_sends_each_kind_of_order_where_it_earns_most(project):
    """Small orders sell by the old version, large ones by the new; on average both earn the same."""
    bandit = dt.Bandit(experiment="banner", arms=ARMS, context=("amount",))
    project.route("returned", bandit, because="earn while learning")
    amounts, arms, logged, policy = learned_from_one_round(
        project, lambda arm, amount: 0.8 if (arm == "new") == (amount == LARGE) else 0.2
    )
    to_new = {
        kind: np.mean([arm == "new" for arm, amount in zip(arms, amounts, strict=True) if amount == kind])
        for kind in (SMALL, LARGE)
    }
    assert to_new[SMALL] < 0.05
    assert to_new[LARGE] > 0.95
    assert {json["amount"] for json in map(msgspec.json.decode, logged["request"])} == {SMALL, LARGE}
    beliefs = [np.array(arm.beliefs) for arm in policy.arms]
    assert [len(belief) for belief in beliefs] == [6, 6]
    for amount, arm, probability in zip(amounts, arms, logged["probability"], strict=True):
        context = np.array([1.0, amount])
        gap = (beliefs[1][:2] - beliefs[0][:2]) @ context
        spread = sqrt(sum(context @ belief[2:].reshape(2, 2) @ context for belief in beliefs))
        new = 0.01 + 0.98 * 0.5 * (1 + erf(gap / spread / sqrt(2)))
        assert probability == pytest.approx(new if arm == "new" else 1 - new, abs=1e-9)


def test_a_bandit_sends_orders_where_most_is_earned(project):
    project.route("returned", dt.Bandit(experiment="banner", arms=ARMS), because="earn while learning")
    _, arms, logged, policy = learned_from_one_round(project, lambda arm, _: 0.7 if arm == "new" else 0.3)
    shares = {arm.name: arm.share for arm in policy.arms}
    assert shares["new"] > 0.95
    assert arms.count("new") / ROUND == pytest.approx(shares["new"], abs=0.03)
    assert logged["probability"].to_list() == pytest.approx([shares[arm] for arm in arms])
