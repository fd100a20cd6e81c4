"""The endpoint's page tells who shares its requests, and what moves that."""

from __future__ import annotations

from msgspec import structs

from drivetrain.core.clock import micros_of
from drivetrain.core.records import Guardrail, Policy
from drivetrain.experiment.policies import Asked, Bandit, Canary, Split
from drivetrain.web.policy import told
from web.conftest import Caller
from web.seed import SeededDesk

AT = micros_of("2013-12-01T08:00Z")


def page_of(desk: SeededDesk, call: Caller, asked: Asked) -> str:
    desk.store.catalog.commit(asked.policy("late", AT))
    return call("/endpoints/late").text


def test_a_canary(desk: SeededDesk, call: Caller):
    guardrails = (Guardrail.errors(0.01), Guardrail.slow("50ms", 0.05), Guardrail.loss(0.002))
    text = page_of(desk, call, Canary(version=2, steps=(0.05, 0.25), hold="1h", least=1_000, guardrails=guardrails))
    assert "A canary shares the requests" in text
    assert 'Version 2</a></td><td data-label="Share">5%' in text
    assert 'The champion</td><td data-label="Share">95%' in text
    assert "It grows by itself: 5%, 25%, then champion. A step takes 1 h and 1,000 answers at least." in text
    assert "at most 1% of its requests left to others" in text
    assert "at most 5% of its answers slower than 50 ms" in text
    assert "squared error at most 0.002 above the champion" in text
    assert "It steps down where it likely breaks one, and does not grow while that stands." in text


def test_a_canary_that_is_doubted(desk: SeededDesk, call: Caller):
    policy = Canary(version=2, guardrails=(Guardrail.outcome(0.01),)).policy("late", AT)
    assert policy.rollout is not None
    why = "canary v2 goes down to 5%: 12 of 300 were left to others, likely more than 1.00%."
    rollout = structs.replace(policy.rollout, doubted=AT)
    desk.store.catalog.commit(structs.replace(policy, because=why, rollout=rollout))
    text = call("/endpoints/late").text
    assert why in text
    assert "It has been doubted since 1 Dec 2013." in text
    assert "mean label at most 0.01 below the champion" in text


def test_a_split_and_a_bandit(desk: SeededDesk, call: Caller):
    arms = {"control": 0, "new": 2}
    split = Split(experiment="price", arms=arms, unit=("carrier",), overrides={"AA": "new"})
    text = page_of(desk, call, split)
    assert "A split shares the requests, by carrier" in text
    assert "1 units" not in text
    assert "1 unit always takes a way of its own, for testing." in text
    text = page_of(desk, call, Bandit(experiment="price", arms=arms))
    assert "A bandit shares the requests" in text
    assert "probability is in the log" in text


def test_without_a_policy_nothing_is_said(desk: SeededDesk, call: Caller):
    assert told(None) is None
    desk.store.catalog.commit(Policy(endpoint="late", at=AT))
    assert 'id="policy"' not in call("/endpoints/late").text
