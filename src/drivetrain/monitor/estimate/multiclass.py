"""Confidence-based performance estimation of one class out of several: each class is corrected for itself."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure
from drivetrain.evaluate.bootstrap import Draws
from drivetrain.evaluate.metrics import SETS, defined
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.binary import shared_by_days, wide
from drivetrain.monitor.estimate.calibration import Calibration
from drivetrain.monitor.estimate.expected import Ordered

REPLICATES = 100
SAMPLED = 1_024
_CLIP = 1e-15


def estimate_multiclass(
    calibrations: tuple[Calibration, ...],
    predictions: Floats,
    days: npt.NDArray[np.int64],
    *,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Measure]:
    """Every metric that probabilities of classes tell of without labels.

    Args:
        calibrations: What came of each class's probabilities when the version was evaluated.
        predictions: Probabilities of the window, shape (n, classes); none missing.
        days: Day of each, shape (n,).
        level: Coverage of the intervals.
        replicates: How often everything uncertain is drawn.
        seed: Of the draws.
    """
    rows = len(predictions)
    if not rows:
        return {}
    curves = [each.curves(replicates, seed) for each in calibrations]
    values = figures(predictions, _whole([c.shares(predictions[:, at]) for at, c in enumerate(curves)]))
    random = np.random.default_rng(seed + 1)
    picked = np.sort(random.choice(rows, SAMPLED, replace=False)) if rows > SAMPLED else np.arange(rows)
    said = predictions[picked]
    middle = figures(said, _whole([c.shares(said[:, at]) for at, c in enumerate(curves)]))
    chances = []
    for at, (curve, each) in enumerate(zip(curves, calibrations, strict=True)):
        shared = shared_by_days(days[picked], each.shocks(replicates, random), random)
        chances.append(curve.shares(said[:, at], slice(1, None), shared))
    chance = _whole(chances)
    drawn = (random.random(chance.shape[1:])[None] > np.cumsum(chance, axis=0)).sum(axis=0).clip(0, len(curves) - 1)
    likely = figures(said, chance)
    came = figures(said, (drawn[None] == np.arange(len(curves))[:, None, None]).astype(np.float64))
    shrunk = math.sqrt(len(said) / rows)
    blocks = min(each.blocks for each in calibrations)
    found: dict[str, Measure] = {}
    for name, value in values.items():
        metric = SETS["multiclass"].named(name)
        if metric is not None and defined(float(value[0])):
            apart = likely[name] - middle[name] + (came[name] - likely[name]) * shrunk
            draws = Draws(float(value[0]), float(value[0]) + apart, rows, blocks)
            found[name] = wide(draws.measure(metric, level), draws.replicates)
    return found


def figures(said: Floats, came: Floats) -> dict[str, Floats]:
    """Every metric under each set of labels.

    Args:
        said: Probabilities, shape (n, classes).
        came: Which class came, as 0 and 1 or as probabilities, shape (classes, sets, n).
    """
    rows, classes = said.shape
    guess = said.argmax(axis=1)
    surprise = -np.log(np.clip(said, _CLIP, 1.0))
    named = np.bincount(guess, minlength=classes)
    total = came.sum(axis=2)
    hits = np.stack([came[at][:, guess == at].sum(axis=1) for at in range(classes)])
    areas = []
    for at in range(classes):
        ordered = Ordered(np.ascontiguousarray(said[:, at]))
        areas.append(ordered.figures(came[at][:, ordered.order])["roc_auc"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "accuracy": hits.sum(axis=0) / rows,
            "log_loss": sum((came[at] @ surprise[:, at] for at in range(classes)), np.zeros(came.shape[1])) / rows,
            "brier": sum((came[at] @ (1 - 2 * said[:, at]) for at in range(classes)), np.zeros(came.shape[1]))
            / rows
            / 2
            + float((said**2).sum()) / rows / 2,
            "balanced_accuracy": _mean(np.where(total > 0, hits / total, np.nan)),
            "macro_f1": _mean(np.where(total + named[:, None] > 0, 2 * hits / (total + named[:, None]), np.nan)),
            "macro_roc_auc": _mean(np.stack(areas)),
        }


def _whole(shares: list[Floats]) -> Floats:
    stacked = np.stack(shares)
    return np.asarray(stacked / stacked.sum(axis=0), np.float64)


def _mean(values: Floats) -> Floats:
    """Over the classes that have one."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
