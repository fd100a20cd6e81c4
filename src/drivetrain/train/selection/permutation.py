"""What a model misses when a feature is shuffled: L. Breiman, "Random forests", Machine Learning 45 (2001); A. Fisher,
C. Rudin, F. Dominici, "All models are wrong, but many are useful", JMLR 20 (2019).

How much worse its answers get is summed by blocks of days, which share their luck. Where a feature has no say, a block's
sum is as likely above zero as below: signs are turned, block by block and for all features alike, and a feature is held
against the largest mean over its standard error that any feature has then (Romano and Wolf, 2005).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivetrain.core.clock import DAY

FEWEST, MOST = 8, 40
"""Blocks: where there are fewer days, rows in their order make as many as the most."""
_TURNS = 2_000


def blocks_of(moments: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Number of the block that a row belongs to, from 0, in order of time; rows of a group are of one block.

    Args:
        moments: UTC microseconds, ascending.
        groups: Of a ranking.
    """
    wholes = np.arange(len(moments)) if groups is None else _firsts(groups)
    days = moments[wholes] // DAY
    found = np.unique(days, return_inverse=True)[1]
    many = int(found.max()) + 1
    if many < FEWEST:
        found = np.unique(wholes, return_inverse=True)[1]
        many = int(found.max()) + 1
    return np.asarray(found * MOST // many if many > MOST else found)


def shuffled(rows: np.ndarray, column: int, seed: int, time: int) -> np.ndarray:
    """Rows in which one column is dealt out anew."""
    mixed = rows.copy()
    mixed[:, column] = rows[np.random.default_rng([seed, column, time]).permutation(len(rows)), column]
    return mixed


def summed(values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    """Sums by block."""
    return np.bincount(blocks, weights=values, minlength=int(blocks.max()) + 1)


def turned(worse: np.ndarray, seed: int, level: float) -> tuple[np.ndarray, np.ndarray]:
    """How often turned signs make any feature as telling, and what the mean surely exceeds.

    Args:
        worse: Sums by block and feature, shape (blocks, features).
        seed: Of the turns.
        level: Chance that any feature's mean lies below its bound.

    Returns:
        Chances and bounds of a block's mean, of shape (features,); a bound belongs to all features at once.
    """
    many = len(worse)
    signs = np.random.default_rng([seed, many]).choice([-1.0, 1.0], (_TURNS, many))
    mean, error = _told(worse)
    squares = (worse**2).sum(axis=0)
    means = signs @ worse / many
    errors = np.sqrt(np.maximum(squares / many - means**2, 0.0) / max(many - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        farthest = np.nan_to_num(means / errors, nan=0.0, posinf=np.inf, neginf=-np.inf).max(axis=1)
        told = np.nan_to_num(mean / error, nan=0.0, posinf=np.inf, neginf=-np.inf)
    chance = (1 + (farthest[:, None] >= told).sum(axis=0)) / (1 + _TURNS)
    return chance, mean - float(np.quantile(farthest, 1 - level, method="higher")) * error


def _told(worse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = worse.mean(axis=0)
    return mean, worse.std(axis=0) / np.sqrt(max(len(worse) - 1, 1))


def _firsts(groups: np.ndarray) -> np.ndarray:
    """Of each row, the first of its group."""
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(first[code])


Losses = Callable[[np.ndarray], np.ndarray]
"""Rows as they were encoded → what a model's answers to them cost, by block."""
