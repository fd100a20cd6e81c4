"""What checks look at: a sample of the rows that teach, and those that judge, as a model would read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from drivetrain.core.records import InputSchema
from drivetrain.features.encoding import encode
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.rows import TrainingRows

FEW_LABELS = 20
"""With more different labels they are numbers."""


@dataclass(frozen=True)
class Subject:
    """A training set that leaks are looked for in."""

    frame: pl.DataFrame
    """The training set, rows without a label among them."""
    data: TrainingRows
    rules: Leakage

    @property
    def schema(self) -> InputSchema:
        """What the model reads."""
        return self.data.schema

    @property
    def chance(self) -> float:
        """Probability of a false alarm that each feature is allowed."""
        return (1 - self.rules.level) / max(1, len(self.schema.fields))

    @cached_property
    def picks(self) -> np.ndarray:
        """Places of the sample among the rows that teach, rising."""
        return sample(self.data.labels, self.rules.rows)

    @cached_property
    def rows(self) -> np.ndarray:
        """The sample, encoded, shape (n, features), in Fortran order: checks read columns."""
        return np.asfortranarray(self.data.rows[self.picks])

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels of the sample."""
        return np.asarray(self.data.labels[self.picks])

    @cached_property
    def weights(self) -> np.ndarray:
        """How many rows each row of the sample stands for."""
        return standing_for(self.data.labels, self.labels)

    @cached_property
    def later(self) -> np.ndarray:
        """Which rows of the sample judge a single feature: the last third in time, or every third without time."""
        count = len(self.picks)
        if not self.data.split.timed or self.moments[0] == self.moments[-1]:
            return np.asarray(np.arange(count) % 3 == 2)
        return np.asarray(np.arange(count) >= 2 * count // 3)

    @cached_property
    def moments(self) -> np.ndarray:
        """Moments of prediction of the sample, microseconds."""
        return np.asarray(self.micros("_at")[self.picks])

    @cached_property
    def classes(self) -> np.ndarray:
        """The different labels; none where they are numbers."""
        values = np.unique(self.data.labels)
        return values if len(values) <= FEW_LABELS else values[:0]

    @cached_property
    def test_picks(self) -> np.ndarray:
        """Places of a sample of the rows that judge: evenly spaced in time, as many as of the others at most."""
        count = len(self.data.test)
        return np.linspace(0, count - 1, min(count, self.rules.rows)).astype(np.int64)

    @cached_property
    def test_rows(self) -> np.ndarray:
        """Every row that judges, encoded."""
        return encode(self.data.test, self.schema)

    def micros(self, column: str) -> np.ndarray:
        """Moments of every row that teaches."""
        return self.data.columns[column].dt.epoch("us").to_numpy()


def sample(labels: np.ndarray, most: int) -> np.ndarray:
    """Places of at most ``most`` rows, evenly spaced in order; of few labels, as many of each as there are, or alike.

    A rare label is so looked at whole: what tells labels apart does not depend on how common they are.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    evenly = np.linspace(0, len(labels) - 1, most).astype(np.int64)
    if labels.ndim > 1:
        return evenly
    values, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(values) > FEW_LABELS:
        return evenly
    left, taken = most, []
    for behind, code in enumerate(np.argsort(counts, kind="stable")):
        share = min(int(counts[code]), left // (len(values) - behind))
        places = np.flatnonzero(codes == code)
        taken.append(places[np.linspace(0, len(places) - 1, share).astype(np.int64)])
        left -= share
    return np.sort(np.concatenate(taken))


def standing_for(labels: np.ndarray, sampled: np.ndarray) -> np.ndarray:
    """How many rows each sampled row stands for, shape of ``sampled``."""
    values, codes, taken = np.unique(sampled, return_inverse=True, return_counts=True)
    if len(labels) == len(sampled) or len(values) > FEW_LABELS:
        return np.full(len(sampled), len(labels) / max(1, len(sampled)))
    _, counts = np.unique(labels, return_counts=True)
    return (counts / taken)[codes] if len(counts) == len(values) else np.ones(len(sampled))
