"""Errors between 0 and 1, one a prediction, whatever it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from drivetrain.core.records import TaskKind
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.keeping import Kept

_FAR = 0.9


class Loss(NamedTuple):
    """What an error is.

    Attributes:
        values: Of each prediction, 0 to 1; none where nothing can be followed.
        words: What they are; where there are none, why.
    """

    values: Floats | None
    words: str


def losses(answers: Answers, detector: str, kept: Kept | None) -> Loss:
    """Errors of predictions whose labels have come.

    Of a yes or no the squared error of its probability, of classes half of the Brier score, of a number e / (e + m),
    where m is the median error of the version's evaluation: one half where it errs as it did there, and never above 1.
    DDM takes 0 or 1: whether the decision was wrong (at the version's threshold; the likeliest class), or of a number,
    whether the error is above nine tenths of those of the evaluation.

    Args:
        answers: Predictions and what came.
        detector: Which detector they are for.
        kept: What was kept of the version's evaluation.
    """
    if answers.task.kind == "regression" and kept is None:
        return Loss(None, "errors of numbers are measured by those of the evaluation, and none were kept")
    found = _LOSSES.get((answers.task.kind, detector == "ddm"))
    if found is None:
        return Loss(None, "errors are followed of a yes or no, of classes and of numbers only")
    return found(answers, kept)


def _squared(answers: Answers, _: Kept | None) -> Loss:
    values = np.clip((answers.predictions - answers.labels) ** 2, 0.0, 1.0)
    return Loss(values, "the squared error of the probability")


def _decided(answers: Answers, kept: Kept | None) -> Loss:
    bound = 0.5 if kept is None else kept.threshold
    wrong = (answers.predictions >= bound) != (answers.labels > 0)
    return Loss(wrong.astype(np.float64), f"the share of decisions that were wrong (at {bound:g})")


def _brier(answers: Answers, _: Kept | None) -> Loss:
    came = np.arange(answers.predictions.shape[1]) == answers.labels[:, None]
    values = np.clip(((answers.predictions - came) ** 2).sum(axis=1) / 2, 0.0, 1.0)
    return Loss(values, "half of the Brier score over classes")


def _likeliest(answers: Answers, _: Kept | None) -> Loss:
    wrong = answers.predictions.argmax(axis=1) != answers.labels
    return Loss(wrong.astype(np.float64), "the share of likeliest classes that did not come")


def _share(answers: Answers, kept: Kept | None) -> Loss:
    errors, usual = _errors(answers, kept)
    middle = max(float(np.median(usual)), 1e-300)
    return Loss(errors / (errors + middle), "the error as a share of itself and the evaluation's median error")


def _far(answers: Answers, kept: Kept | None) -> Loss:
    errors, usual = _errors(answers, kept)
    wrong = errors > np.quantile(usual, _FAR)
    return Loss(wrong.astype(np.float64), "the share of errors above nine tenths of the evaluation's")


def _errors(answers: Answers, kept: Kept | None) -> tuple[Floats, Floats]:
    assert kept is not None, "errors of numbers need the evaluation's"
    sample = kept.sample
    return np.abs(answers.predictions - answers.labels), np.abs(sample.predictions - sample.labels)


_LOSSES: Mapping[tuple[TaskKind, bool], Callable[[Answers, Kept | None], Loss]] = MappingProxyType(
    {
        ("binary", False): _squared,
        ("binary", True): _decided,
        ("multiclass", False): _brier,
        ("multiclass", True): _likeliest,
        ("regression", False): _share,
        ("regression", True): _far,
    }
)
