"""Metrics of probabilities of several classes, of which one comes true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.evaluate.metrics.answers import Answers, check_probabilities, check_shape
from drivetrain.evaluate.metrics.binary import groups_of
from drivetrain.evaluate.metrics.metric import BINS, Metric
from drivetrain.evaluate.metrics.over import Over, mean_known, ratio, totals
from drivetrain.evaluate.ranking import Floats

_CLIP = 1e-15
_ONE = 1e-3
"""How far from 1 the probabilities of an answer may add up to: engines may compute in 32 bits."""

METRICS: Sequence[Metric] = (
    Metric("log_loss", "log loss", "lower", "positive", "mean surprise at what came, in nats"),
    Metric("accuracy", "accuracy", "greater", "share", "share of rows whose likeliest class came"),
    Metric("balanced_accuracy", "balanced accuracy", "greater", "share", "recall, averaged over the classes"),
    Metric("macro_f1", "macro F1", "greater", "share", "F1 of each class, averaged alike"),
    Metric("macro_roc_auc", "macro ROC AUC", "greater", "share", "ROC AUC of each class against the rest, averaged"),
    Metric(
        "weighted_roc_auc", "weighted ROC AUC", "greater", "share",
        "ROC AUC of each class against the rest, averaged by how often it came",
    ),
    Metric("brier", "Brier score", "lower", "share", "half the mean squared distance of prediction from outcome"),
    Metric("ece", "calibration error", "lower", "share", "mean distance of how sure it was of the likeliest from how "
           "often that came"),
)  # fmt: skip


def figures(answers: Answers, over: Over) -> dict[str, Floats]:
    """Every metric of one class out of several.

    The Brier score is half the sum over the classes, so that it lies between 0 and 1 and is that of a yes or no where
    there are two; the calibration error is that of the likeliest class (Guo et al., 2017), over ten groups of equal
    size by how sure it was.

    Args:
        answers: Positions of classes, and probabilities of shape (n, classes).
        over: What to sum over.

    Returns:
        Name → its value under each weighting; NaN where it has none. Classes that do not come are in no average.
    """
    truth, said = answers.labels.astype(np.intp), answers.predictions
    weight = totals(over, answers.rows)
    given = said[np.arange(answers.rows), truth]
    guess = said.argmax(axis=1)
    hit = (guess == truth).astype(np.float64)
    sure = said.max(axis=1)
    counts = by_class(answers, over)
    areas = one_against_rest(answers, over)
    outcome = np.eye(said.shape[1])[truth]
    gaps = over.sums(sure - hit, groups_of(sure), BINS)
    f1 = ratio(2 * counts["hits"], counts["came"] + counts["named"])
    return {
        "log_loss": over.sums(-np.log(np.clip(given, _CLIP, 1.0)))[:, 0] / weight,
        "accuracy": over.sums(hit)[:, 0] / weight,
        "balanced_accuracy": mean_known(ratio(counts["hits"], counts["came"])),
        "macro_f1": mean_known(f1),
        "macro_roc_auc": mean_known(areas),
        "weighted_roc_auc": mean_known(areas, counts["came"]),
        "brier": over.sums(((said - outcome) ** 2).sum(axis=1) / 2)[:, 0] / weight,
        "ece": np.abs(gaps).sum(axis=1) / weight,
    }


def by_class(answers: Answers, over: Over) -> dict[str, Floats]:
    """Rows of each class that came, were named (as the likeliest), and both; each of shape (weightings, classes)."""
    truth, guess = answers.labels.astype(np.intp), answers.predictions.argmax(axis=1)
    classes, every = answers.predictions.shape[1], np.ones(answers.rows)
    return {
        "came": over.sums(every, truth, classes),
        "named": over.sums(every, guess, classes),
        "hits": over.sums((guess == truth).astype(np.float64), truth, classes),
    }


def one_against_rest(answers: Answers, over: Over) -> Floats:
    """ROC AUC of each class against the rest, shape (weightings, classes); NaN where a class does not come."""
    every = [
        over.roc_auc((answers.labels == at).astype(np.float64), np.ascontiguousarray(answers.predictions[:, at]))
        for at in range(answers.predictions.shape[1])
    ]
    return np.stack(every, axis=1)


def confusion(answers: Answers) -> list[list[int]]:
    """How many rows of each class (rows) were taken for each (columns)."""
    classes = answers.predictions.shape[1]
    cell = answers.labels.astype(np.intp) * classes + answers.predictions.argmax(axis=1)
    return np.bincount(cell, minlength=classes**2).reshape(classes, classes).tolist()


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, shapes differ, or a row's predictions are no probabilities that add up to 1.
    """
    check_shape(answers, whose)
    check_probabilities(answers.predictions, whose)
    total = answers.predictions.sum(axis=1)
    odd = total[np.abs(total - 1.0) > _ONE]
    if len(odd):
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"probabilities that add up to {odd[0]:g}", expected="to 1"
        )
