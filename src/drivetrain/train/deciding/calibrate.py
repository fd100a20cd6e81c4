"""Probabilities made to be those that come true, judged by a proper score, and kept only where that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records.deciding import Calibration, CalibrationChoice, CalibrationMethod, CalibrationTrial
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.train.deciding.curves import applied, learn
from drivetrain.train.deciding.unseen import Unseen, blocks_of, checked, mean_of

Asked = Literal["auto", "sigmoid", "isotonic", "temperature"]
_LEAST = 10
_LEAST_ROWS = 50
_EDGE = 1e-15
_WAYS: dict[str, tuple[CalibrationMethod, ...]] = {
    "binary": ("sigmoid", "isotonic"),
    "multiclass": ("temperature", "sigmoid", "isotonic"),
}


@dataclass(frozen=True)
class Calibrate:
    """Makes a model's probabilities those that come true.

    It is learned on rows that taught no fit: the validation rows, or those of the split's folds, each answered by a
    model that had not seen it. The last fit learns from these rows too; what was learned of its forerunner's answers is
    used for its own, as scikit-learn does with ``ensemble=False``, and what comes of it is measured on the test rows.

    Every way is judged on stretches of time that it was not learned on, by log loss with the Brier score beside it. The
    best is kept if its whole interval says that it lowers the log loss; else answers stay as they are.

    Args:
        method: ``sigmoid`` (Platt, 1999, of log-odds), ``isotonic`` (Zadrozny and Elkan, 2002), of classes also
            ``temperature`` (Guo et al., 2017), or ``auto``, which tries all that suit. Of classes the first two are
            learned for each against the rest, and made to add to one.

    Example:
        >>> Calibrate("isotonic").ways("binary")
        ('isotonic',)
    """

    method: Asked = "auto"

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the word at the door."""
        if self.method not in get_args(Asked):
            raise UsageError(
                "there is no such way to calibrate", found=repr(self.method), expected=" or ".join(get_args(Asked))
            )

    def ways(self, kind: TaskKind) -> tuple[CalibrationMethod, ...]:
        """What is tried.

        Raises:
            UsageError: Answers of that kind are no probabilities that can be calibrated so.
        """
        known = _WAYS.get(kind, ())
        if not known or (self.method != "auto" and self.method not in known):
            raise UsageError(
                f"answers can't be calibrated by {self.method} where the label is {KINDS[kind]}",
                expected=f"one of auto, {', '.join(known)}" if known else "a yes or no, or one of several classes",
                do="Leave calibrate= out" if not known else None,
            )
        return known if self.method == "auto" else (self.method,)


def calibrated(calibrate: Calibrate, unseen: Unseen) -> tuple[Calibration | None, np.ndarray, CalibrationChoice]:
    """Tries the ways there are.

    Args:
        calibrate: What is asked for.
        unseen: Rows that taught no fit.

    Returns:
        What is kept; what each row would have been answered by what was learned without it; and how that was decided.

    Raises:
        TrainingError: There are too few rows.
    """
    checked(unseen, _LEAST if unseen.task.kind == "binary" else _LEAST_ROWS, "calibrated")
    blocks, words = blocks_of(unseen.ats)
    before = losses(unseen.labels, unseen.answers)
    trials, crossed = [], {}
    for method in calibrate.ways(unseen.task.kind):
        said = _crossed(method, unseen)
        if said is None:
            continue
        crossed[method] = said
        after = losses(unseen.labels, said)
        trials.append(
            CalibrationTrial(
                method=method,
                log_loss=float(after.mean()),
                brier=squares(unseen.labels, said),
                gain=mean_of(before - after, blocks),
            )
        )
    best = min(trials, key=lambda trial: trial.log_loss, default=None)
    if best is not None and best.gain.low is not None and best.gain.low > 0:
        trials = [replace(trial, chosen=trial is best) for trial in trials]
    choice = CalibrationChoice(
        log_loss=float(before.mean()), brier=squares(unseen.labels, unseen.answers), block=words, trials=tuple(trials)
    )
    chosen = choice.chosen
    if chosen is None:
        return None, unseen.answers, choice
    return learn(chosen.method, unseen.answers, unseen.labels), crossed[chosen.method], choice


def losses(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Negative log likelihood of each row, in nats; probabilities are kept 1e-15 away from 0 and 1."""
    own = np.where(labels > 0, said, 1 - said) if said.ndim == 1 else said[np.arange(len(labels)), labels.astype(int)]
    return np.asarray(-np.log(np.clip(own, _EDGE, 1 - _EDGE)), np.float64)


def squares(labels: np.ndarray, said: np.ndarray) -> float:
    """The Brier score; of classes half the sum over them, so that it lies between 0 and 1."""
    if said.ndim == 1:
        return float(np.mean((said - labels) ** 2))
    came = np.eye(said.shape[1])[labels.astype(int)]
    return float(((said - came) ** 2).sum(axis=1).mean() / 2)


def _crossed(method: CalibrationMethod, unseen: Unseen) -> np.ndarray | None:
    """Each row's answer by what was learned on other stretches of time; none if one of these can't teach it."""
    said = np.empty_like(unseen.answers)
    for part in unseen.parts():
        others = unseen.among(~part)
        if not len(others.labels) or len(np.unique(others.labels)) < 2:
            return None
        try:
            said[part] = applied(learn(method, others.answers, others.labels), unseen.answers[part])
        except TrainingError:
            return None
    return said
