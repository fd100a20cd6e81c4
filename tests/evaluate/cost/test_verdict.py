from __future__ import annotations

import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Artifact, Cost, Evaluation, Intake, Measure, Run
from drivetrain.core.records.tracking import Tracked
from drivetrain.evaluate.cost.report import cost_of
from drivetrain.evaluate.cost.timing import Timing
from drivetrain.evaluate.cost.told import cost_told
from drivetrain.evaluate.cost.wording import beside_champion, in_short, lines
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.verdict import check

OURS = Cost(
    size=1_200_000, kept=3_000_000, engine="onnx", row_p50_us=21.0, row_p99_us=90.0, rows_timed=2_000,
    train_seconds=41.0, train_cpu_seconds=60.0, trials=30, batch=1_024, rows_per_second=1e6,
)  # fmt: skip
THEIRS = Cost(of="champion v3", size=1_000_000, kept=1, row_p50_us=7.0, row_p99_us=80.0)
ORDERS = Intake(table="orders", rows=5_000, broke=60, breaches={"amount: below 0": 50, "day: null": 12})
CLEAN = Intake(table="customers", rows=400, broke=0)
BARE = Intake(table="weather", rows=90, broke=0, checked=False)
WARNED = Intake(table="clicks", rows=1_000, broke=30, breaches={"url: null": 30}, warns=True)


def told(gate: Gate, *, cost: Cost | None = OURS, champion: Cost | None = THEIRS, intakes: tuple[Intake, ...] = ()):
    evaluation = Evaluation(
        run_id="r", model="late", data="table:t@1", since=0, until=1, rows=9, positives=3, block="day", replicates=5,
        metrics={"roc_auc": Measure(0.7)}, cost=cost, champion_cost=champion, intakes=intakes,
    )  # fmt: skip
    return check([gate], evaluation, now=7).outcomes


@pytest.mark.parametrize(
    ("gate", "passed", "words"),
    [
        (Gate.latency(at_most_us=25), True, "half of 2,000 single rows were answered within 21.0 µs; at most 25.0 µs"),
        (Gate.latency(at_most_us=20), False, "at most 20.0 µs is allowed"),
        (
            Gate.latency(at_most_us=80, quantile="p99"),
            False,
            "99 of 100 of 2,000 single rows were answered within 90.0",
        ),
        (Gate.latency(), False, "21.0 µs, 3.00 times that of champion v3, 7.0 µs; at most 1.5 times is allowed"),
        (Gate.latency(times_champion=3.5), True, "3.00 times that of champion v3"),
        (Gate.latency(quantile="p99"), True, "1.12 times that of champion v3"),
        (Gate.size(), True, "what is served takes up 1.2 MB, 1.20 times that of champion v3, 1.0 MB"),
        (Gate.size(times_champion=1.1), False, "at most 1.1 times"),
        (Gate.size(at_most_mb=1.0), False, "1.2 MB; at most 1.0 MB is allowed"),
    ],
)
def test_a_gate_on_costs_answers_in_a_sentence(gate: Gate, passed: bool, words: str) -> None:
    (outcome,) = told(gate)
    assert outcome.passed is passed
    assert words in outcome.reason
    assert outcome.reason.startswith("Yes: " if passed else "No: ")


def test_a_bound_and_the_champion_are_answered_apart() -> None:
    first, second = told(Gate.size(at_most_mb=2, times_champion=1.1))
    assert (first.gate, first.passed) == ("size", True)
    assert (second.gate, second.passed) == ("size against champion v3", False)
    assert second.found == pytest.approx(1.2)


def test_what_was_not_measured_passes_no_bound_and_no_champion_is_no_obstacle() -> None:
    (outcome,) = told(Gate.latency(at_most_us=9), cost=None)
    assert not outcome.passed
    assert "the time of an answer was not measured" in outcome.reason
    (outcome,) = told(Gate.latency(at_most_us=9), cost=Cost(size=1, kept=1))
    assert not outcome.passed
    (outcome,) = told(Gate.latency(), champion=None)
    assert outcome.passed
    assert "no champion" in outcome.reason


@pytest.mark.parametrize(
    ("intakes", "bound", "passed", "words"),
    [
        ((CLEAN,), 0.0, True, "none of 400 rows of customers broke its contract"),
        (
            (ORDERS, CLEAN),
            0.02,
            True,
            "of 5,000 rows of orders 1.2 % were set aside (50: amount: below 0; 12: day: null)",
        ),
        ((ORDERS, CLEAN), 0.01, False, "1.2 % were set aside (50: amount: below 0"),
        ((BARE, CLEAN), 0.01, True, "weather declares no contract"),
        ((BARE,), 0.01, False, "nothing was promised of its rows: weather declares no contract"),
        ((WARNED,), 0.02, False, "at least 3 % broke it and were kept (30: url: null)"),
        ((), 0.01, False, "nothing was promised"),
    ],
)
def test_the_gate_on_contracts_names_what_broke(intakes, bound: float, passed: bool, words: str) -> None:
    (outcome,) = told(Gate.contract(bound), intakes=intakes)
    assert outcome.passed is passed
    assert words in outcome.reason


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: Gate.latency(at_most_us=0), "the gate on latency lets nothing pass"),
        (lambda: Gate.size(times_champion=-1), "the gate on size lets nothing pass"),
        (lambda: Gate.latency(quantile="p50.5"), "names no such quantile"),
        (lambda: Gate.contract(1.5), "bounds a share"),
    ],
)
def test_a_gate_that_can_mean_nothing_is_refused(ask, said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        ask()


def test_costs_come_from_the_record_and_the_clock() -> None:
    run = Run(
        run_id="r", model="late", trainer="lightgbm", status="done", code="c", environment="e", seconds=41.0,
        cpu_seconds=60.0, artifacts=(Artifact("m.txt", "lightgbm", "d", 900), Artifact("b", "background", "d", 100)),
    )  # fmt: skip
    cost = cost_of(run, Timing(5.0, 9.0, 2_000, 1_024, 1e6), of="champion v3")
    assert (cost.size, cost.kept, cost.engine) == (900, 1_000, "lightgbm")
    assert (cost.train_seconds, cost.train_cpu_seconds, cost.peak_memory) == (41.0, 60.0, None)
    assert (cost.row_p50_us, cost.row_p99_us, cost.rows_per_second, cost.of) == (5.0, 9.0, 1e6, "champion v3")
    logged = Run(
        run_id="r", model="x", trainer="mlflow", status="done", code="c", environment="e", seconds=9.0,
        tracked=Tracked(experiment="1", name="x"),
    )  # fmt: skip
    assert cost_of(logged).train_seconds is None


def test_it_is_told_in_sentences_and_figures() -> None:
    assert in_short(OURS) == "It answers a row in 0.021 ms, takes up 1.2 MB, and took 41 s to train."
    assert in_short(Cost(size=9, kept=9)) == "It takes up 9 B."
    assert beside_champion(OURS, THEIRS) == "Beside champion v3 it is 3 times as slow and 1.2 times as large."
    assert beside_champion(THEIRS, Cost(of="champion v1", size=1_000_000, kept=1, row_p50_us=7.5)) == (
        "It costs about what champion v1 does."
    )
    assert "—" not in "".join(line.ours for line in lines(OURS, THEIRS))
    assert [line.theirs for line in lines(OURS, None)] == ["–"] * len(lines(OURS, None))
    assert cost_told(None)["cost"] is None
