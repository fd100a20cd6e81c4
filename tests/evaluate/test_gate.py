import pytest

from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.core.records import Comparison, Evaluation, Measure, SliceMeasure
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.verdict import check


def report(*comparisons: Comparison) -> Evaluation:
    def part(value: str, auc: Measure | None) -> SliceMeasure:
        return SliceMeasure("carrier", value, 900, 200, {} if auc is None else {"roc_auc": auc})

    return Evaluation(
        run_id="r",
        model="late",
        data="table:t@1",
        since=0,
        until=1,
        rows=28_000,
        positives=8_000,
        block="day",
        replicates=500,
        metrics={
            "average_precision": Measure(0.452, 0.421, 0.483, 28_000),
            "ece": Measure(0.02, 0.01, 0.04, 28_000),
            "log_loss": Measure(0.5, None, None, 28_000),
        },
        comparisons=comparisons,
        slices=(part("UA", Measure(0.70, 0.66, 0.74, 900)), part("WN", Measure(0.6, 0.5, 0.69, 900)), part("OO", None)),
    )


def gap(against: str, low: float | None, metric: str = "average_precision") -> Comparison:
    high = None if low is None else low + 0.04
    return Comparison(metric, against, 0.45, 0.43, Measure(0.02, low, high, 28_000))


@pytest.mark.parametrize(
    ("gate", "passed", "words"),
    [
        (Gate("average_precision", at_least=0.4), True, "0.452 [0.421, 0.483] on 28,000 rows is at least 0.400"),
        (Gate("average_precision", at_least=0.46), False, "is below 0.460"),
        (Gate("average_precision", at_least=0.43, surely=True), False, "the worse bound of average precision"),
        (Gate("average_precision", at_least=0.42, surely=True), True, "is at least 0.420"),
        (Gate("average_precision", at_least=0.4, at_most=0.44), False, "does not lie between 0.400 and 0.440"),
        (Gate("log_loss", at_most=0.6), True, "is at most 0.600"),
        (Gate("log_loss", at_most=0.6, surely=True), False, "too few days"),
        (Gate("brier", at_most=0.6), False, "could not be measured"),
        (Gate.calibration(0.03), True, "calibration error"),
        (Gate.calibration(0.01), False, "is above 0.010"),
        (Gate.slice("carrier", at_least=0.65), True, "the lowest is WN"),
        (Gate.slice("carrier", at_least=0.695), False, "WN 0.600 [0.500, 0.690]"),
        (Gate.slice("carrier", value="UA", at_least=0.695), True, "of 1 measured"),
        (Gate.slice("carrier", at_most=0.67), True, "the highest is UA"),
        (Gate.slice("carrier", at_most=0.65), False, "UA"),
        (Gate.slice("dest", at_least=0.5), False, "no slices by dest; it has carrier"),
        (Gate.slice("carrier", value="ZZ", at_least=0.5), False, "no carrier = ZZ; it has OO, UA, WN"),
        (Gate.slice("carrier", value="OO", at_least=0.5), False, "rows enough"),
        (Gate.beats_champion(), True, "no champion yet"),
        (Gate.beats_baselines(), False, "no baseline was evaluated"),
    ],
)
def test_a_gate_answers_in_a_sentence(gate, passed, words):
    outcome = check([gate], report(), now=7).outcomes[0]
    assert outcome.passed is passed
    assert words in outcome.reason
    assert outcome.reason.startswith("Yes: " if passed else "No: ")


@pytest.mark.parametrize(
    ("gate", "low", "passed"),
    [
        (Gate.beats_champion(), 0.001, True),
        (Gate.beats_champion(), -0.001, False),
        (Gate.beats_champion(margin=0.01), 0.009, False),
        (Gate.beats_champion(margin=-0.01), -0.009, True),
        (Gate.keeps_up_with_champion(loss=0.01), -0.009, True),
        (Gate.keeps_up_with_champion(loss=0.01), -0.011, False),
        (Gate.beats_champion(), None, False),
    ],
)
def test_the_champion_is_beaten_by_the_lower_bound(gate, low, passed):
    outcome = check([gate], report(gap("champion v3", low))).outcomes[0]
    assert outcome.passed is passed
    assert "champion v3" in outcome.reason


def test_every_baseline_must_be_beaten_and_all_gates_are_asked():
    found = check(
        [Gate.beats_baselines(), Gate("average_precision", at_least=0.9)],
        report(gap("baseline rate", 0.01), gap("baseline logistic", -0.01)),
        now=7,
    )
    assert [outcome.passed for outcome in found.outcomes] == [True, False, False]
    assert not found.passed
    assert len(found.refusals) == 2
    assert found.at == 7


def test_no_gate_passes_and_says_so():
    found = check([], report())
    assert found.passed
    assert "no gate" in found.outcomes[0].reason


def test_a_gate_that_asks_nothing_or_the_impossible_is_refused_where_it_is_declared():
    with pytest.raises(ProjectError, match="asks for nothing"):
        Gate("roc_auc")
    with pytest.raises(UnknownName, match="luck"):
        Gate("luck", at_least=0.5)
    with pytest.raises(ProjectError, match="base rate can't be better"):
        Gate.beats_champion("base_rate")


def test_a_gate_that_names_no_metric_asks_for_the_models_own():
    gate = Gate.beats_champion()
    assert gate.on("regression", "rmse").metric == "rmse"
    assert Gate.slice("carrier", at_most=3.0).on("regression", "rmse").metric == "mae"
    assert Gate.slice("carrier", at_least=0.5).on("binary", "average_precision").metric == "roc_auc"
    assert Gate("coverage@0.9", at_least=0.8).on("quantile", "pinball").metric == "coverage@0.9"
    with pytest.raises(ProjectError, match="calibration error does not suit a label that is a number"):
        Gate.calibration().on("regression", "mae")
    with pytest.raises(ProjectError, match="the gate on the model's metric asks for nothing"):
        Gate()
