"""Rows that taught no fit, and what a model that had not seen them said: what answers are learned to be read by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from drivetrain.core.clock import DAY
from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Measure, Task
from drivetrain.core.special import special

PARTS = 5
"""Stretches of time among which what is judged is learned on all but one."""
_LEAST_BLOCKS = 4
_BLOCKS = 10
LEVEL = 0.95


class Unseen(NamedTuple):
    """Rows with labels, and answers of models that had not learned from them.

    Attributes:
        labels: 0 or 1, positions of classes, or numbers; shape (n,).
        answers: What was said: shape (n,), or (n, outputs).
        ats: Moment of each, microseconds UTC, shape (n,).
        task: What the answers stand for.
        of: Which rows they are, in words.
    """

    labels: np.ndarray
    answers: np.ndarray
    ats: np.ndarray
    task: Task
    of: str

    def said(self, answers: np.ndarray) -> Unseen:
        """The same rows, answered otherwise."""
        return self._replace(answers=answers)

    def among(self, which: np.ndarray) -> Unseen:
        """Some of the rows."""
        return self._replace(labels=self.labels[which], answers=self.answers[which], ats=self.ats[which])

    def parts(self) -> list[np.ndarray]:
        """Masks of five stretches of time with about as many rows each; rows of one moment stay together."""
        order = np.argsort(self.ats, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        _, moment = np.unique(self.ats, return_inverse=True)
        first = np.full(int(moment.max()) + 1, len(order), np.int64)
        np.minimum.at(first, moment, place)
        part = first[moment] * PARTS // len(order)
        return [part == at for at in range(PARTS) if (part == at).any()]


def checked(unseen: Unseen, least: int, words: str) -> Unseen:
    """The rows, if there are enough.

    Args:
        unseen: The rows.
        least: How many there must be; of a yes or no, of each.
        words: What they are for: ``calibrated``.

    Raises:
        TrainingError: There are too few of them.
    """
    count = len(unseen.labels)
    if unseen.task.kind == "binary":
        positives = int(unseen.labels.sum())
        rarer = min(positives, count - positives)
        if rarer < least:
            raise TrainingError(
                f"answers can't be {words}: {unseen.of} hold too few of one outcome",
                found=f"{positives:,} yes among {count:,}", expected=f"{least} or more of each",
                do="Lengthen valid= of the split, or use RollingOrigin with several folds",
            )  # fmt: skip
    elif count < least:
        raise TrainingError(
            f"answers can't be {words}: {unseen.of} are too few", found=f"{count:,} rows", expected=f"{least} or more",
            do="Lengthen valid= of the split, or use RollingOrigin with several folds",
        )  # fmt: skip
    return unseen


def blocks_of(ats: np.ndarray) -> tuple[np.ndarray, str]:
    """Which rows share their luck, and in what: days; where these are fewer than four, tenths of the rows by time."""
    days = np.unique(ats // DAY, return_inverse=True)[1]
    if int(days.max(initial=0)) + 1 >= _LEAST_BLOCKS:
        return days, "day of prediction (UTC)"
    order = np.argsort(np.argsort(ats, kind="stable"), kind="stable")
    return order * _BLOCKS // max(len(ats), 1), "tenth of the rows by time"


def mean_of(values: np.ndarray, blocks: np.ndarray) -> Measure:
    """A mean over rows that share their luck in blocks, with an interval (Cameron and Miller, 2015).

    The variance is that of the blocks' sums about the mean, times B/(B-1); the width Student's t with B-1 degrees of
    freedom.

    Args:
        values: Shape (n,).
        blocks: Block of each, shape (n,).
    """
    value = float(values.mean())
    sums = np.bincount(blocks, weights=values - value)
    many = len(np.unique(blocks))
    if many < _LEAST_BLOCKS:
        return Measure(value, None, None, len(values), LEVEL)
    error = float(np.sqrt((sums**2).sum() * many / (many - 1)) / len(values))
    reach = float(special().stdtrit(many - 1, 0.5 + LEVEL / 2)) * error
    return Measure(value, value - reach, value + reach, len(values), LEVEL)
