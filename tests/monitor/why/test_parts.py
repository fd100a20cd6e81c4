import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Task
from drivetrain.evaluate.metrics import average_precision
from drivetrain.monitor.estimate.window import weigh
from drivetrain.monitor.why.parts import OTHERS, Rows, figure_of, losses_of, parts_of, shared_out
from drivetrain.monitor.why.segments import segments_of
from drivetrain.monitor.why.window import why
from monitor.estimate.world import evaluated, rows

NAMES = ["x", "y", "carrier"]


@pytest.fixture(scope="module")
def kept():
    return evaluated()[0]


def taken_apart(kept, window, metric="log_loss", labelled=True):
    values, said, labels, ats = window
    ratio = weigh(kept, values, ats // DAY)
    there = Rows(kept.sample.labels, kept.sample.predictions, kept.sample.days)
    return parts_of(metric, there, Rows(labels, said, ats // DAY) if labelled else None, ratio, NAMES, Task())


def test_the_parts_add_up_to_the_whole(kept):
    window = rows(1, shift=0.5, otherwise=1.0)
    found = taken_apart(kept, window, "average_precision")
    there = average_precision(kept.sample.labels, kept.sample.predictions)
    assert found.worse.value == pytest.approx(there - average_precision(window[2], window[1]))
    assert found.inputs.value + found.concept.value == pytest.approx(found.worse.value)
    assert sum(one.value for one in found.features) == pytest.approx(found.inputs.value)


def test_other_inputs_are_no_concept(kept):
    found = taken_apart(kept, rows(2, shift=-0.8), "average_precision")
    assert found.inputs.low > 0.05
    assert found.concept.low < 0 < found.concept.high
    assert found.features[0].feature == "x"
    assert found.features[0].value == pytest.approx(found.inputs.value, rel=0.15)
    unlabelled = taken_apart(kept, rows(2, shift=-0.8), "average_precision", labelled=False)
    assert unlabelled.concept is None
    assert unlabelled.worse == unlabelled.inputs


def test_a_concept_is_no_other_inputs(kept):
    found = taken_apart(kept, rows(3, otherwise=2.5), "average_precision")
    assert found.concept.low > 0.02
    assert found.inputs.low < 0 < found.inputs.high


def test_no_change_has_no_parts(kept):
    sure = 0
    for seed in range(12):
        found = taken_apart(kept, rows([4, seed], a_day=150))
        sure += not found.concept.low <= 0 <= found.concept.high
        sure += not found.inputs.low <= 0 <= found.inputs.high
    assert sure <= 4


def test_shapley_values_are_those_of_every_order():
    from itertools import permutations  # noqa: PLC0415 - the brute force itself

    random = np.random.default_rng(5)
    parts = random.normal(0, 0.5, (50, 4))
    losses = random.random(50)

    def worth(weights):
        return float(losses @ weights)

    found = {one.feature: one.value for one in shared_out(parts, list("abcd"), worth, np.ones(50))}

    def weights(columns):
        raw = np.exp(parts[:, list(columns)].sum(axis=1))
        return raw * 50 / raw.sum()

    brute = dict.fromkeys("abcd", 0.0)
    for order in permutations(range(4)):
        for place, at in enumerate(order):
            gain = worth(weights(order[: place + 1])) - worth(weights(order[:place]))
            brute["abcd"[at]] += gain / 24
    assert found == pytest.approx(brute, abs=1e-9)


def test_many_features_share_as_one():
    parts = np.random.default_rng(6).normal(0, 0.1, (40, 30))
    found = shared_out(parts, [f"f{at}" for at in range(30)], lambda w: float(w[0]), np.ones(40))
    assert len(found) == 8
    assert OTHERS in {one.feature for one in found}


def test_losses_are_those_of_the_metric():
    random = np.random.default_rng(7)
    said = random.uniform(0.1, 0.9, 100)
    labels = (random.random(100) < said).astype(float)
    there = Rows(labels, said, np.arange(100))
    assert losses_of(there, Task()).mean() == pytest.approx(figure_of("log_loss", there, Task())(np.ones(100)))
    assert losses_of(there, Task("regression")).mean() == pytest.approx(np.abs(said - labels).mean())
    several = Rows(np.zeros(4), np.full((4, 2), 0.5), np.arange(4))
    assert losses_of(several, Task("multiclass", classes=("a", "b"))) == pytest.approx(np.log(2))


def test_segments_are_found_where_labels_follow_otherwise_and_nowhere_else(kept):
    there = Rows(kept.sample.labels, kept.sample.predictions, kept.sample.days)

    def found(window):
        values, said, labels, ats = window
        here = Rows(labels, said, ats // DAY)
        losses = losses_of(there, Task()), losses_of(here, Task())
        return segments_of(kept.sample, kept.sample.encode(values), losses, here.days)

    moved = found(rows(8, otherwise=2.5))
    assert moved[0].where == "carrier is b"
    assert moved[0].share == pytest.approx(0.3, abs=0.03)
    assert moved[0].worse.low > 0
    assert moved[0].now - moved[0].then == pytest.approx(moved[0].worse.value)
    assert sum(len(found(rows([9, seed], a_day=200))) for seed in range(20)) <= 2


def test_inputs_without_a_like_can_not_be_taken_apart(kept):
    values, said, labels, ats = rows(10, shift=6.0)
    found = why(kept, "log_loss", weigh(kept, values, ats // DAY), values=values, outputs=said, labels=labels, ats=ats)
    assert found.inputs is None
    assert found.features == ()
    assert found.refused.startswith("the parts can't be told apart: the window's inputs are unlike the evaluation's")


def test_labels_of_one_kind_only_have_no_reason(kept):
    values, said, labels, ats = rows(11)
    ratio = weigh(kept, values, ats // DAY)
    nothing = np.zeros(len(labels))
    assert why(kept, "roc_auc", ratio, values=values, outputs=said, labels=nothing, ats=ats) is None
