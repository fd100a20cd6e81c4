"""Answers whose truth is known: probabilities bent in a known way, and rows over many days."""

from __future__ import annotations

import numpy as np

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Task
from drivetrain.train.deciding.unseen import Unseen

BEGIN = micros_of("2026-01-01")
CLASSES = ("ash", "beech", "oak")


def over_days(rows: int, days: int = 20) -> np.ndarray:
    """Moments, evenly over some days."""
    return BEGIN + (np.arange(rows) * days * DAY) // max(rows, 1)


def logistic(power: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-power)))


def yes_or_no(rows: int = 2_000, *, slope: float = 1.0, shift: float = 0.0, seed: int = 0) -> Unseen:
    """A yes or no said with log-odds of so many times the true ones, plus so much."""
    chance = np.random.default_rng(seed)
    odds = chance.normal(-1.0, 1.5, rows)
    labels = (chance.random(rows) < logistic(odds)).astype(float)
    return Unseen(labels, logistic(slope * odds + shift), over_days(rows), Task("binary"), "the validation rows")


def classes(rows: int = 2_000, *, sharper: float = 1.0, seed: int = 0) -> Unseen:
    """One of three classes, said with log-probabilities of so many times the true ones."""
    chance = np.random.default_rng(seed)
    power = chance.normal(0, 1.2, (rows, 3))
    true = np.exp(power) / np.exp(power).sum(axis=1, keepdims=True)
    labels = (chance.random(rows)[:, None] > np.cumsum(true, axis=1)).sum(axis=1).clip(0, 2).astype(float)
    said = np.exp(sharper * power)
    said /= said.sum(axis=1, keepdims=True)
    return Unseen(labels, said, over_days(rows), Task("multiclass", CLASSES), "the validation rows")
