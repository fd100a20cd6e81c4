"""How much likelier a row is in the window than in the evaluation: the odds that a domain classifier gives.

The classifier is a logistic regression with a term for every bin of every feature, pulled towards none, learned
feature by feature (backfitting; Hastie and Tibshirani, 1990). Its odds are the ratio of the two densities (Qin, 1998;
Bickel, Brückner and Scheffer, 2007), and being a sum over features they say what each of them brings. Every row is
judged by a classifier that has not seen its day.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.metrics import roc_auc
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.calibration import expit
from drivetrain.monitor.estimate.sample import Codes

_ROUNDS = 12
_PULL = 8.0
"""Rows' worth of evidence that a bin must bring before half of it is believed."""
_MOST = 30.0
"""No row of the evaluation counts for more than this many."""


class Ratio(msgspec.Struct, frozen=True):
    """The evaluation's rows, weighed like the window.

    Attributes:
        parts: What each feature adds to the log of the ratio, shape (rows, features).
        weights: The ratio, shape (rows,), adding to the number of rows.
        told: ROC AUC with which windows are told from evaluation: 0.5 where they are alike.
        effective: Kish's effective number of rows, (Σw)² / Σw².
    """

    parts: Floats
    weights: Floats
    told: float
    effective: float


def density_ratio(
    there: Codes, here: Codes, days: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], bins: list[int]
) -> Ratio:
    """Weighs rows of the evaluation like the window's.

    Args:
        there: Bins of the evaluation's rows, shape (rows, features).
        here: Bins of the window's, shape (n, features).
        days: Of the former and of the latter.
        bins: How many each feature has.
    """
    rows = len(there)
    codes = np.vstack([there, here]).astype(np.intp)
    ours = np.concatenate([np.zeros(rows), np.ones(len(here))])
    fold = np.concatenate([_halves(days[0]), _halves(days[1])])
    parts = np.zeros(codes.shape)
    for half in (0, 1):
        learned = _learn(codes[fold != half], ours[fold != half], bins)
        for at, terms in enumerate(learned):
            parts[fold == half, at] = terms[codes[fold == half, at]]
    weights = weights_of(parts[:rows].sum(axis=1))
    told = roc_auc(ours, parts.sum(axis=1))
    return Ratio(parts[:rows], weights, told, effective_rows(weights))


def weights_of(margins: Floats) -> Floats:
    """Weights of rows from the log of their ratio, adding to their number; none above :data:`_MOST`."""
    raw = np.exp(margins - margins.max())
    weights = raw * (len(raw) / raw.sum())
    for _ in range(5):
        weights = np.minimum(weights, _MOST)
        weights *= len(raw) / weights.sum()
    return np.asarray(weights, np.float64)


def effective_rows(weights: Floats) -> float:
    """How many rows of equal weight they are worth (Kish, 1965)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())


def _halves(days: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Every other day; every other row where there is only one."""
    known, at = np.unique(days, return_inverse=True)
    return np.asarray((at if len(known) > 1 else np.arange(len(days))) % 2, np.intp)


def _learn(codes: npt.NDArray[np.intp], ours: Floats, bins: list[int]) -> list[Floats]:
    """A term for each bin of each feature, by Newton's step for one feature after another."""
    share = float(np.clip(ours.mean(), 1e-6, 1 - 1e-6))
    margin = np.full(len(ours), np.log(share) - np.log1p(-share))
    terms = [np.zeros(count) for count in bins]
    step = 0.7 if len(bins) > 1 else 1.0
    for _ in range(_ROUNDS):
        most = 0.0
        for at, count in enumerate(bins):
            place = codes[:, at]
            chance = expit(margin)
            slope = np.bincount(place, weights=ours - chance, minlength=count)
            curve = np.bincount(place, weights=chance * (1 - chance), minlength=count)
            pull = _PULL * share * (1 - share)
            change = step * (slope - pull * terms[at]) / (curve + pull)
            terms[at] = terms[at] + change
            margin = margin + change[place]
            most = max(most, float(np.abs(change).max()))
        if most < 1e-3:
            break
    return terms
