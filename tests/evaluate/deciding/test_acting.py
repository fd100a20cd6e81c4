"""What acting costs: row by row, with the intervals that days give; and in sentences."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Evaluation, Task
from drivetrain.core.records.deciding import Calibration, Decided, Decider, Sigmoid, ThresholdChoice
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.deciding.acting import acting
from drivetrain.evaluate.deciding.report import RAW, decided_on
from drivetrain.evaluate.deciding.wording import acts
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.train.deciding.threshold import NEVER, Threshold, exact

COSTS = Threshold(cost={"false_positive": 1, "false_negative": 8}, benefit={"true_positive": 0.5}).costs


def world(rows: int = 3_000, days: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    said = chance.beta(1, 5, rows)
    return said, (chance.random(rows) < said).astype(float), np.arange(rows) * days // rows * DAY


def choice(value: float, costs: dict[str, float] = COSTS, at_most: float | None = None) -> ThresholdChoice:
    return ThresholdChoice(value=value, costs=costs, cost=0.0, share=0.0, exact=exact(costs), at_most=at_most)


def mean_cost(acts_on: np.ndarray, labels: np.ndarray) -> float:
    whole = 0.0
    for act, label in zip(acts_on, labels, strict=True):
        name = ("true_" if act == bool(label) else "false_") + ("positive" if act else "negative")
        whole += COSTS[name]
    return whole / len(labels)


def test_it_is_counted_row_by_row() -> None:
    said, labels, ats = world()
    found = acting(choice(0.12), said, labels, draw(ats, Bootstrap()))
    ours = said >= 0.12
    assert found.cost.value == pytest.approx(mean_cost(ours, labels))
    assert found.share.value == pytest.approx(ours.mean())
    assert found.precision is not None
    assert found.recall is not None
    assert found.precision.value == pytest.approx(labels[ours].mean())
    assert found.recall.value == pytest.approx(ours[labels == 1].mean())
    others = {"never": ours & False, "always": ours | True, "from 0.5": said >= 0.5}
    for one in found.alternatives:
        assert one.cost.value == pytest.approx(mean_cost(others[one.name], labels))
        assert one.saved.value == pytest.approx(one.cost.value - found.cost.value)
        assert one.saved.low < one.saved.value < one.saved.high  # type: ignore[operator]


@pytest.mark.truth
def test_intervals_of_a_cost_cover() -> None:
    """Of days whose luck differs; the world's own cost lies inside as often as it should."""
    inside = 0
    true = np.mean([mean_cost((w := world(4_000, seed=9_000 + at))[0] >= 0.12, w[1]) for at in range(40)])
    for seed in range(200):
        said, labels, ats = world(1_200, seed=seed)
        found = acting(choice(0.12), said, labels, draw(ats, Bootstrap(replicates=200, seed=seed))).cost
        inside += found.low <= true <= found.high  # type: ignore[operator]
    assert 0.90 <= inside / 200 <= 0.99


def test_it_is_told_to_who_decides() -> None:
    said, labels, ats = world()
    found = acting(choice(0.12, at_most=0.05), said, labels, draw(ats, Bootstrap()))
    told = acts(found, "flights")
    assert told[0].startswith(f"Acting on what scores 0.120 or more costs {found.cost.value:.3f} (")
    assert f"acting on none {found.alternatives[0].cost.value:.3f}" in told[0]
    assert "for each of the flights" in told[0]
    assert any(line.startswith("Than acting never, that is surely") for line in told)
    assert any("At most 5 % were to be acted on: on these it was more" in line for line in told)
    counted = "one that is caught -0.5, one acted on in vain 1, one that is missed 8"
    assert told[-1] == f"Counted as costs (a benefit below zero): {counted}."
    never = acts(acting(choice(NEVER), said, labels, draw(ats, Bootstrap())), "rows")
    assert never[0].startswith("Acting on none costs least")


def test_an_evaluation_tells_what_calibration_did() -> None:
    said, labels, ats = world()
    evaluation = evaluate(said, labels, ats, subject=Subject(run_id="r", model="late", data="table:x@1", task=Task()))
    decided = Decided(rows=10, of="the validation rows", since=0, until=1, threshold=choice(0.12))
    plain = decided_on(evaluation, Decider(threshold=0.12), decided, said, labels, ats)
    assert (plain.uncalibrated, plain.covering) == ((), None)
    assert plain.acting is not None
    bent = Decider(calibration=Calibration(method="sigmoid", curves=(Sigmoid(1.0, 0.0),)), threshold=0.12)
    found: Evaluation = decided_on(evaluation, bent, decided, said, labels, ats, uncalibrated=said**0.3)
    gaps = {gap.metric: gap for gap in found.uncalibrated}
    assert gaps["log_loss"].against == RAW
    assert gaps["log_loss"].ours == pytest.approx(evaluation.metrics["log_loss"].value)
    assert gaps["log_loss"].difference.low > 0  # type: ignore[operator]
    assert gaps["roc_auc"].difference.value == pytest.approx(0)
