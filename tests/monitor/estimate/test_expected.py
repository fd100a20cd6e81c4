from itertools import product

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from drivetrain.evaluate.metrics import AT_RATE
from drivetrain.monitor.estimate.expected import Ordered
from monitor.estimate import nannyml

HUNDREDTHS = np.arange(101) / 100


@pytest.mark.parametrize("digits", [1, 9], ids=["ties", "distinct"])
def test_with_labels_they_are_the_metrics_of_scikit_learn(digits):
    random = np.random.default_rng(digits)
    said = np.round(random.beta(2, 3, 400), digits).clip(0.01, 0.99)
    labels = (random.random(400) < said).astype(float)
    ordered = Ordered(said, 0.4)
    found = {name: float(value[0]) for name, value in ordered.figures(labels[ordered.order][None]).items()}
    acted = said >= 0.4
    assert found == pytest.approx(
        {
            "roc_auc": roc_auc_score(labels, said),
            "average_precision": average_precision_score(labels, said),
            "log_loss": log_loss(labels, said),
            "brier": brier_score_loss(labels, said),
            "base_rate": labels.mean(),
            "accuracy": accuracy_score(labels, acted),
            "precision": precision_score(labels, acted),
            "recall": recall_score(labels, acted),
            "f1": f1_score(labels, acted),
        }
    )


def test_with_probabilities_they_are_what_chance_makes_of_labels_on_average():
    random = np.random.default_rng(3)
    said = np.round(random.beta(2, 3, 300), 2).clip(0.01, 0.99)
    chance = said**1.3
    ordered = Ordered(said, 0.5)
    drawn = (random.random((4_000, 300)) < chance[ordered.order]).astype(float)
    expected, came = ordered.figures(chance[ordered.order][None]), ordered.figures(drawn)
    for name, value in expected.items():
        error = came[name].std() / np.sqrt(4_000)
        # Quotients of sums are not their expectations' quotients: what is left is of the order of one over the rows.
        assert abs(float(value[0]) - came[name].mean()) < 4 * error + 0.002, name


def test_pairs_leave_out_a_row_with_itself():
    said, chance = np.array([0.8, 0.5, 0.3]), np.array([0.7, 0.6, 0.2])
    right = pairs = 0.0
    for labels in product([0, 1], repeat=3):
        odds = np.prod([each if label else 1 - each for each, label in zip(chance, labels, strict=True)])
        for first, second in product(range(3), repeat=2):
            if labels[first] > labels[second]:
                pairs += odds
                right += odds * (said[first] > said[second])
    assert Ordered(said).figures(chance[None])["roc_auc"][0] == pytest.approx(right / pairs)


@pytest.mark.parametrize("chunk", ["first", "sixth"])
def test_the_same_calibrated_probabilities_give_the_figures_of_nannyml(chunk):
    reference, repaid = np.array(nannyml.REFERENCE), np.array(nannyml.REPAID)
    isotonic = IsotonicRegression(out_of_bounds="clip")
    isotonic.fit(
        np.repeat(np.tile(HUNDREDTHS, 2), np.concatenate([repaid, reference - repaid])),
        np.repeat([1.0, 0.0], [repaid.sum(), (reference - repaid).sum()]),
    )
    said = np.repeat(HUNDREDTHS, getattr(nannyml, chunk.upper()))
    ordered = Ordered(said, nannyml.THRESHOLD)
    found = ordered.figures(isotonic.predict(ordered.scores)[None])
    for name, value in nannyml.ESTIMATES[chunk].items():
        # Areas of theirs pair every row with itself, and their average precision gives a positive half its own place.
        loose = {"roc_auc": 5e-5, "average_precision": 1e-3}.get(name, 1e-6)
        assert found[name][0] == pytest.approx(value, abs=loose), name


@pytest.mark.parametrize("digits", [1, 9], ids=["ties", "distinct"])
def test_at_another_base_rate_it_is_the_average_precision_of_weighted_positives(digits):
    random = np.random.default_rng(digits)
    said = np.round(random.beta(2, 3, 400), digits)
    labels = (random.random(400) < said).astype(float)
    ordered = Ordered(said)
    odds = 0.1 / 0.9 * (1 - labels.mean()) / labels.mean()
    theirs = average_precision_score(labels, said, sample_weight=np.where(labels > 0, odds, 1.0))
    assert ordered.figures(labels[ordered.order][None], 0.1)[AT_RATE][0] == pytest.approx(theirs)


def test_nothing_acted_on_and_one_kind_only_have_no_figure():
    found = Ordered(np.array([0.2, 0.1]), 0.5).figures(np.array([[0.0, 0.0], [0.5, 0.5]]))
    assert np.isnan(found["precision"]).all()
    assert np.isnan(found["roc_auc"][0])
    assert found["accuracy"].tolist() == [1.0, 0.5]
