"""Weights for rows as they might come to be: what set the tested rows apart from those learned from, once more.

A classifier tells rows that the model learned from and rows that it was tested on apart (Bickel, Brückner and Scheffer,
2009); its odds say how much commoner a row has become. Rows weighed with these odds are a guess at the rows of the next
stretch of time, if the mix goes on as it went. The classifier is a logistic regression with a penalty, on the values of
columns and the fifths of numbers.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.evaluate.discovery.conditions import coded
from drivetrain.evaluate.ranking import Floats

_PENALTY = 10.0
_ROUNDS = 8
MOST_WEIGHT = 20.0
"""Weights are cut off here: a row that is hardly there can't speak for everybody."""


def trend_weights(before: pl.DataFrame, tested: pl.DataFrame) -> Floats | None:
    """How much each tested row would count if the mix of rows changed once more as it did.

    Args:
        before: Rows that were learned from; the columns that both share are read.
        tested: Rows that were tested on.

    Returns:
        Weights with mean 1, shape (tested,); none where no column tells rows apart.
    """
    names = [name for name in tested.columns if name in before.columns and before[name].dtype == tested[name].dtype]
    told = coded(pl.concat([before.select(names), tested.select(names)], how="vertical"))
    if not told:
        return None
    # Of each column one value is left out: it is what the others are held against.
    marks = np.column_stack(
        [(each.codes == code).astype(np.float64) for each in told for code in range(1, len(each.values))]
    )
    marks = np.column_stack([np.ones(len(marks)), marks])
    late = np.concatenate([np.zeros(before.height), np.ones(tested.height)])
    odds = marks @ _logistic(marks, late)
    prior = np.log(tested.height / before.height)
    weights = np.minimum(np.exp(np.clip(odds[before.height :] - prior, -20, 20)), MOST_WEIGHT)
    return np.asarray(weights / weights.mean(), np.float64)


def worth(weights: Floats) -> float:
    """Share of the rows that weighted ones are worth (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def _logistic(marks: Floats, outcome: Floats) -> Floats:
    """Coefficients by Newton's method, under a ridge penalty that leaves out the constant."""
    found = np.zeros(marks.shape[1])
    penalty = np.full(marks.shape[1], _PENALTY)
    penalty[0] = 1e-6
    for _ in range(_ROUNDS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(marks @ found, -30, 30)))
        slope = marks.T @ (outcome - chance) - penalty * found
        bend = (marks * (chance * (1.0 - chance))[:, None]).T @ marks + np.diag(penalty)
        found = found + np.linalg.solve(bend, slope)
    return np.asarray(found, np.float64)
