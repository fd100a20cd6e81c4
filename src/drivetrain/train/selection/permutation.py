"""What a model misses when a feature is shuffled.

L. Breiman, "Random forests", Machine Learning 45 (2001); A. Fisher, C. Rudin, F. Dominici, "All models are wrong, but
many are useful", JMLR 20 (2019). What its answers cost is summed by blocks of days, which share their luck. Where a
feature has no say, a block's sum with the column as it is could as well be any of those with it shuffled: which of them
is called the real one is drawn anew, block by block and for all features alike, and a feature is held against the
largest mean over its standard error that any feature has then (Westfall and Young, 1993; Romano and Wolf, 2005). Losses
are skewed, so turning signs would not do.
"""

from __future__ import annotations

import numpy as np

from drivetrain.core.clock import DAY

FEWEST, MOST = 8, 40
"""Blocks: where there are fewer days, rows in their order make as many as the most."""
_DRAWS = 2_000


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


def redrawn(losses: np.ndarray, seed: int, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much worse shuffling makes it, how often that is chance, and what it surely exceeds.

    Args:
        losses: Sums by feature, way and block, shape (features, 1 + shuffles, blocks); first the column as it is.
        seed: Of the draws.
        level: Chance that any feature's figure lies below its bound.

    Returns:
        The mean by block, how often a draw makes any feature as telling, and the bound for all features at once; each
        of shape (features,).
    """
    _, ways, blocks = losses.shape
    draws = np.random.default_rng([seed, ways, blocks]).integers(0, ways, (_DRAWS, blocks))
    draws = np.vstack([np.zeros(blocks, dtype=np.int64), draws])  # the first is what was seen
    told, means, errors = [], [], []
    for one in losses:
        real = one[draws, np.arange(blocks)]
        worse = (one.sum(axis=0) - real) / (ways - 1) - real
        mean, error = worse.mean(axis=1), worse.std(axis=1) / np.sqrt(max(blocks - 1, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            told.append(np.nan_to_num(mean / error, nan=0.0, posinf=np.inf, neginf=-np.inf))
        means.append(mean[0])
        errors.append(error[0])
    table = np.array(told)
    farthest = table[:, 1:].max(axis=0)
    chance = (1 + (farthest >= table[:, :1]).sum(axis=1)) / (1 + _DRAWS)
    reach = float(np.quantile(farthest, 1 - level, method="higher"))
    return np.array(means), chance, np.array(means) - reach * np.array(errors)


def _firsts(groups: np.ndarray) -> np.ndarray:
    """Of each row, the first of its group."""
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(first[code])
