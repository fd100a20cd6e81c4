"""Metrics of probabilities of several labels, of which any may come true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.evaluate.metrics.answers import Answers, check_probabilities, check_shape
from drivetrain.evaluate.metrics.binary import log_losses
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.metrics.over import Over, mean_known, ratio, totals
from drivetrain.evaluate.ranking import Floats, Ranking

CUT = 0.5
"""Probability from which on a label counts as named."""

METRICS: Sequence[Metric] = (
    Metric("micro_f1", "micro F1", "greater", "share", "F1 of all labels of all rows taken together"),
    Metric("macro_f1", "macro F1", "greater", "share", "F1 of each label, averaged alike"),
    Metric("micro_average_precision", "micro average precision", "greater", "share",
           "average precision of all labels of all rows taken together"),
    Metric("macro_average_precision", "macro average precision", "greater", "share",
           "average precision of each label, averaged alike"),
    Metric("subset_accuracy", "subset accuracy", "greater", "share", "share of rows with every label right"),
    Metric("hamming_loss", "Hamming loss", "lower", "share", "share of labels that are wrong"),
    Metric("log_loss", "log loss", "lower", "positive", "mean surprise at what came, in nats"),
    Metric("brier", "Brier score", "lower", "share", "mean squared distance of prediction from outcome"),
)  # fmt: skip


def figures(answers: Answers, over: Over) -> dict[str, Floats]:
    """Every metric of several labels; one counts as named from a probability of one half on.

    Args:
        answers: Labels of 0 or 1 and probabilities, both of shape (n, labels).
        over: What to sum over.

    Returns:
        Name → its value under each weighting. A label that never comes has no average precision and is left out of
        the mean; its F1 is 0 where it is named, and left out where it is not.
    """
    truth, said = answers.labels, answers.predictions
    weight = totals(over, answers.rows)
    named = (said >= CUT).astype(np.float64)
    hits, came, called = (_by_label(each, over) for each in (named * truth, truth, named))
    wrong = named != truth
    return {
        "micro_f1": ratio(2 * hits.sum(axis=1), (came + called).sum(axis=1)),
        "macro_f1": mean_known(ratio(2 * hits, came + called)),
        "micro_average_precision": _precision(truth.ravel(), said.ravel(), over, truth.shape[1]),
        "macro_average_precision": mean_known(
            np.stack([_precision(truth[:, at], said[:, at], over, 1) for at in range(truth.shape[1])], axis=1)
        ),
        "subset_accuracy": over.sums((~wrong.any(axis=1)).astype(np.float64))[:, 0] / weight,
        "hamming_loss": over.sums(wrong.mean(axis=1))[:, 0] / weight,
        "log_loss": over.sums(log_losses(truth, said).mean(axis=1))[:, 0] / weight,
        "brier": over.sums(((said - truth) ** 2).mean(axis=1))[:, 0] / weight,
    }


def by_label(answers: Answers, over: Over) -> dict[str, Floats]:
    """Rows in which each label came, was named, and both; each of shape (weightings, labels)."""
    named = (answers.predictions >= CUT).astype(np.float64)
    return {
        "came": _by_label(answers.labels, over),
        "named": _by_label(named, over),
        "hits": _by_label(named * answers.labels, over),
    }


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows, shapes differ, a label is not 0 or 1, or a prediction is no probability.
    """
    check_shape(answers, whose)
    if answers.labels.shape != answers.predictions.shape or not np.isin(answers.labels, (0.0, 1.0)).all():
        raise TrainingError(
            f"{whose} can't be evaluated",
            found=f"labels of shape {answers.labels.shape}",
            expected=f"0 or 1 of each of {len(answers.task.classes)} labels",
        )
    check_probabilities(answers.predictions.ravel(), whose)


def _by_label(values: Floats, over: Over) -> Floats:
    return np.stack([over.sums(np.ascontiguousarray(column))[:, 0] for column in values.T], axis=1)


def _precision(labels: Floats, scores: Floats, over: Over, times: int) -> Floats:
    """Average precision of scores of which so many lie in each row."""
    ranking = Ranking(np.ascontiguousarray(labels), np.ascontiguousarray(scores))
    return np.array([ranking.areas_by_row(weights, times=times).average_precision for weights in over.each()])
