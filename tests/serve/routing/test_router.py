from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binomtest

from drivetrain.core.clock import now
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Arm, Policy, Prediction
from drivetrain.serve.log.read import in_segments
from drivetrain.serve.routing.router import Router
from serve import world
from serve.fakes import door

SPLIT = Policy(
    endpoint="plain",
    mode="split",
    experiment="price@1",
    arms=(Arm(name="new", version=2, share=0.25), Arm(name="control", share=0.75)),
    unit=("carrier",),
)


def row(carrier="UA", distance=1.0, seats=5):
    return ("f", carrier, distance, seats)


def policy(**changed):
    return Policy(**{name: getattr(SPLIT, name) for name in SPLIT.__struct_fields__} | changed)


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    world.add_version(opened, "plain", 2, 1000.0)
    yield opened
    opened.close()


def logged(folder, endpoint="plain"):
    return [entry for entry in in_segments(folder / endpoint, [b""]) if isinstance(entry, Prediction)]


def test_a_unit_always_goes_the_same_way_and_shares_are_kept():
    router = Router(SPLIT, world.FIELDS)
    ways = {f"c{at}": router.route(f"r{at}", 0, row(f"c{at}")) for at in range(4000)}
    assert all(router.route("another", 7, row(unit)) == way for unit, way in ways.items())
    counts = Counter(way.arm for way in ways.values())
    assert binomtest(counts["new"], 4000, 0.25).pvalue > 1e-4
    assert {way.probability for way in ways.values()} == {0.25, 0.75}
    assert {(way.arm, way.version) for way in ways.values()} == {("new", 2), ("control", 0)}


def test_without_a_unit_a_request_sent_again_goes_the_same_way():
    router = Router(policy(unit=()), world.FIELDS)
    assert len({router.route("r1", 0, row(f"c{at}")) for at in range(50)}) == 1
    assert len({router.route("r1", at, row()).arm for at in range(50)}) == 2, "instances of a request are apart"


def test_an_override_takes_its_arm_with_certainty():
    router = Router(policy(overrides={"UA": "new", "AA": "gone"}), world.FIELDS)
    assert router.route("r", 0, row("UA"))[1:3] == ("new", 1.0)
    assert router.route("r", 0, row("AA")).probability < 1.0


def test_a_contextual_bandit_goes_by_what_it_believes_of_the_context():
    """Reward of one arm grows with distance, that of the other falls."""
    doubt = tuple((np.eye(2) * 0.01).reshape(-1).tolist())
    arms = (
        Arm(name="far", version=2, share=0.5, beliefs=(0.0, 1.0, *doubt)),
        Arm(name="near", share=0.5, beliefs=(0.0, -1.0, *doubt)),
    )
    router = Router(policy(mode="contextual", arms=arms, unit=(), context=("distance",)), world.FIELDS)
    for distance, arm in ((2.0, "far"), (-2.0, "near")):
        ways = [router.route(f"r{at}", 0, row(distance=distance)) for at in range(400)]
        assert Counter(way.arm for way in ways)[arm] > 380
        assert {way.probability > 0.98 for way in ways if way.arm == arm} == {True}
    sure = [router.route(f"r{at}", 0, row(distance=1e6)) for at in range(4_000)]
    assert {(way.arm, way.probability) for way in sure} == {("far", 0.99), ("near", 0.01)}, "every arm is tried"
    even = [router.route(f"r{at}", 0, row(distance=0.0)) for at in range(2000)]
    assert binomtest(sum(way.arm == "far" for way in even), 2000, 0.5).pvalue > 1e-4
    unsure = Router(policy(mode="contextual", unit=(), context=("distance",)), world.FIELDS)
    assert {way.probability for way in (unsure.route(f"r{at}", 0, row()) for at in range(40))} == {0.25, 0.75}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"unit": ("nobody",)}, "sticks to 'nobody'"),
        ({"unit": ("distance",)}, "found float"),
        ({"mode": "contextual", "context": ("carrier",)}, "goes by 'carrier'"),
    ],
)
def test_a_policy_must_go_by_fields_of_the_requests(changed, said):
    with pytest.raises(ProjectError, match=said):
        Router(policy(**changed), world.FIELDS)


def test_nothing_is_learned_from_what_the_log_does_not_keep():
    secret = [dataclasses.replace(field, privacy="secret") for field in world.FIELDS]
    Router(policy(mode="contextual", unit=("carrier",), context=("distance",)), world.FIELDS)
    Router(policy(), secret)  # who goes by it needs no log
    with pytest.raises(ProjectError, match="learns from 'distance'; found a secret field"):
        Router(policy(mode="contextual", context=("distance",)), secret)


def test_a_split_is_followed_logged_and_ended(store, tmp_path):
    store.catalog.commit(policy(at=now()))
    carriers = [f"c{at}" for at in range(400)]
    with door(store, tmp_path / "log") as ask:
        status, answer = ask.post(
            "/v1/endpoints/plain/predict",
            {"instances": [world.instance(carrier=carrier, flight_id=carrier) for carrier in carriers]},
        )
        assert status == 200
        assert [value >= 1000 for value in answer["predictions"]] == [arm == "new" for arm in answer["arms"]]
        assert answer["model_versions"] == [2 if arm == "new" else 1 for arm in answer["arms"]]
        _, again = ask.post("/v1/endpoints/plain/predict", {"instances": [world.instance(carrier="c7")] * 3})
        assert again["arms"] == [answer["arms"][7]] * 3
        figures = ask.get("/metrics")[1]
        assert 'drivetrain_routed_total{arm="new",endpoint="plain",experiment="price@1"}' in figures
        for role, version in (("champion", 1), ("arm new", 2), ("arm control", 1)):
            assert f'drivetrain_version{{endpoint="plain",model="plain",role="{role}"}} {version}.0' in figures
        store.catalog.commit(Policy(endpoint="plain", at=now()))
        ask.app._reloader.look()
        _, straight = ask.post("/v1/endpoints/plain/predict", {"instances": [world.instance(carrier="c7")]})
        assert "arms" not in straight
        assert straight["model_version"] == 1
    entries = logged(tmp_path / "log")
    assert {(entry.experiment, entry.arm, entry.probability, entry.version, entry.role) for entry in entries} == {
        ("price@1", "new", 0.25, 2, "challenger"),
        ("price@1", "control", 0.75, 1, "champion"),
        ("", "", 1.0, 1, "champion"),
    }


def test_an_arm_that_cannot_be_loaded_is_answered_by_the_champion(store, tmp_path):
    store.catalog.commit(policy(at=now(), arms=(Arm(name="new", version=9, share=1.0),)))
    with door(store, tmp_path / "log") as ask:
        status, answer = ask.post("/v1/endpoints/plain/predict", {"instances": [world.instance()]})
        assert (status, answer["model_version"], answer["arms"]) == (200, 1, ["new"])
        assert "no version is called plain@9" in ask.get("/v1/endpoints/plain")[1]["problems"]["arm new"]
    assert [(entry.failed, entry.arm) for entry in logged(tmp_path / "log")] == [(9, "new")]


def test_a_policy_that_fits_no_request_leaves_the_champion_to_answer(store, tmp_path):
    store.catalog.commit(policy(at=now(), unit=("nobody",)))
    with door(store, tmp_path / "log") as ask:
        assert ask.post("/v1/endpoints/plain/predict", {"instances": [world.instance()]})[1]["model_version"] == 1
        assert "the champion answers everything" in ask.get("/v1/endpoints/plain")[1]["problems"]["policy"]
