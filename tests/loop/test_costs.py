"""What a version costs, on the road: measured when it is judged, told everywhere, and refused by name."""

from __future__ import annotations

import threading

import pytest
from starlette.testclient import TestClient
from tests.loop.shop import edit, make_shop

from drivetrain.core.records import Evaluation, ModelVersion, Run
from drivetrain.loop.project import Project
from drivetrain.loop.stages import cost
from drivetrain.registry.aliases import current
from drivetrain.web.app import create_app

pytestmark = pytest.mark.slow
GATES = 'gates=[dt.Gate("roc_auc", at_least=0.6)],\n)\n'
STRICT = """gates=[
        dt.Gate.keeps_up_with_champion("roc_auc", loss=0.02),
        dt.Gate.latency(times_champion=2.0),
        dt.Gate.size(at_most_mb=0.2, times_champion=1.5),
        dt.Gate.contract(at_most=0.001),
    ],
)
"""
BESIDE: list[list[str]] = []
"""Threads that were at work whenever answers were timed."""
SMALL = "trainer=dt.LightGBM(num_iterations=30, num_leaves=8),"


@pytest.fixture(scope="module", autouse=True)
def timed():
    """Notes who else works while answers are timed."""
    time_answers = cost.time_answers

    def noted(asked):
        BESIDE.append([thread.name for thread in threading.enumerate() if thread.name == "meanwhile"])
        return time_answers(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "time_answers", noted)
        yield


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A shop with a small champion; then a slow and large challenger, one that learned nothing, and rows that broke."""
    folder = make_shop(tmp_path_factory.mktemp("costs") / "shop")
    text = (folder / "project.py").read_text()
    trainer = next(line.strip() for line in text.splitlines() if line.strip().startswith("trainer="))
    edit(folder, trainer, SMALL)
    tuned = next((line for line in text.splitlines() if line.strip().startswith("tune=")), None)
    assert tuned is not None
    edit(folder, tuned, "    tune=dt.Tune(trials=2, warm=True),")
    project = Project.load(folder)
    project.run()
    project.store.close()
    edit(folder, GATES, STRICT)
    edit(folder, SMALL, "trainer=dt.LightGBM(num_iterations=400, num_leaves=31, min_data_in_leaf=5),")
    project = Project.load(folder)
    project.run()
    project.store.close()
    edit(folder, "num_iterations=400, num_leaves=31, min_data_in_leaf=5", "num_iterations=1, min_data_in_leaf=2000")
    project = Project.load(folder)
    project.run()
    yield project
    project.store.close()


def outcomes(project, number):
    found = project.store.catalog.get(ModelVersion, f"returned@{number}")
    return {each.gate: each for each in found.gates.outcomes}


@pytest.mark.usefixtures("judged")
def test_nothing_else_is_at_work_while_answers_are_timed():
    assert BESIDE == [[], [], []]


def test_a_slower_and_larger_model_is_refused_by_name_and_the_champion_stays(judged):
    told = outcomes(judged, 2)
    assert not told["latency against champion v1"].passed
    assert "times that of champion v1" in told["latency against champion v1"].reason
    assert told["latency against champion v1"].found > 2
    assert told["latency against champion v1"].reason.startswith("No: half of ")
    assert not told["size"].passed
    assert "at most 200 kB is allowed" in told["size"].reason
    assert not told["size against champion v1"].passed
    assert current(judged.store, "returned")["champion"] == 1


def test_a_worse_model_is_refused_by_name(judged):
    told = outcomes(judged, 3)
    assert not told["roc_auc against champion v1"].passed
    assert told["latency against champion v1"].passed
    assert told["size against champion v1"].passed
    assert current(judged.store, "returned")["champion"] == 1


def test_what_it_costs_is_on_record_beside_the_champion(judged):
    version = judged.store.catalog.get(ModelVersion, "returned@2")
    evaluation = judged.store.catalog.get(Evaluation, version.run_id)
    cost, champion = evaluation.cost, evaluation.champion_cost
    run = judged.store.catalog.get(Run, version.run_id)
    assert cost.size == run.artifacts[0].size
    assert cost.kept == sum(each.size for each in run.artifacts)
    assert cost.train_seconds == run.seconds > 0
    assert cost.train_cpu_seconds == run.cpu_seconds
    assert 0 < cost.row_p50_us <= cost.row_p99_us
    assert cost.rows_per_second > 0
    assert cost.rows_timed >= 40
    assert champion.of == "champion v1"
    assert champion.size < cost.size
    first = judged.store.catalog.get(ModelVersion, "returned@1")
    assert judged.store.catalog.get(Evaluation, first.run_id).champion_cost is None


def test_the_card_and_the_pages_tell_it(judged):
    version = judged.store.catalog.get(ModelVersion, "returned@2")
    card = judged.store.blobs.get(version.card).decode()
    assert "It answers a row in " in card
    assert "Beside champion v1 it is" in card
    assert "What it costs" in card
    call = TestClient(create_app(judged), base_url="http://localhost:8700")
    page = call.get("/models/returned/versions/2").text
    assert "What it costs" in page
    assert "champion v1" in page
    told = call.get("/api/v1/models/returned/versions/2/evaluation").json()
    assert told["cost"]["row_p50_us"] > 0
    assert told["champion_cost"]["of"] == "champion v1"
    made = call.get(f"/runs/{version.run_id}").text
    assert "had been found best by" in made
    assert "Trial " in made


def test_a_search_that_is_warm_begins_with_what_the_champions_found_best(judged):
    first, second, third = (
        judged.store.catalog.get(Run, judged.store.catalog.get(ModelVersion, f"returned@{number}").run_id)
        for number in (1, 2, 3)
    )
    assert first.tuning.enqueued == ()
    assert second.tuning.enqueued_from == third.tuning.enqueued_from == first.ref
    assert second.trials[0].enqueued
    space = set(second.trials[0].parameters)
    best = first.trials[first.tuning.chosen].parameters
    assert {name: second.trials[0].parameters[name] for name in space & set(best)} == {
        name: best[name] for name in space & set(best)
    }
    assert judged.run().did == ()  # a champion that changes makes no step out of date


def test_a_warm_run_is_made_again_bit_for_bit(judged):
    assert judged.reproduce("returned@3").verdict == "bits"


def test_rows_that_break_their_contract_are_named_by_the_gate(judged):
    told = outcomes(judged, 3)
    (name,) = [gate for gate in told if gate.startswith("contract")]
    assert "orders" in told[name].reason
