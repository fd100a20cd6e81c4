"""What halves of the rows agree on.

N. Meinshausen, P. Bühlmann, "Stability selection", JRSS B 72 (2010), by the complementary pairs of R. Shah and
R. Samworth, "Variable selection with error control", JRSS B 75 (2013).
"""

from __future__ import annotations

import math

import numpy as np


def half(groups: np.ndarray, seed: int, time: int) -> np.ndarray:
    """Which rows belong to a half: of times 0 and 1, 2 and 3 and so on one is what the other leaves.

    Args:
        groups: What is kept together; of rows that stand alone, each its own number.
        seed: Of the draw.
        time: Number of the half.
    """
    names, code = np.unique(groups, return_inverse=True)
    first = np.zeros(len(names), dtype=bool)
    first[np.random.default_rng([seed, time // 2]).permutation(len(names))[: len(names) // 2]] = True
    return np.asarray(first[code] == (time % 2 == 0))


def named(importance: np.ndarray, most: int) -> np.ndarray:
    """Which features a model names: the strongest, as many as it may, and none that it does not use."""
    order = np.argsort(-importance, kind="stable")[:most]
    found = np.zeros(len(importance), dtype=bool)
    found[order[importance[order] > 0]] = True
    return found


def constant(share: float, pairs: int) -> float:
    """C of Shah and Samworth's theorem 2, for distributions with one peak.

    Example:
        >>> round(constant(0.9, 50), 3)
        0.431
    """
    if share <= 0.75:
        return 1.0 / (2.0 * (2.0 * share - 1.0 - 1.0 / (2.0 * pairs)))
    return 4.0 * (1.0 - share + 1.0 / (2.0 * pairs)) / (1.0 + 1.0 / pairs)


def most_named(features: int, share: float, pairs: int, wrong: float) -> int:
    """How many features a half may name, so that on average no more than so many are kept wrongly.

    With q named by each half of p features, at most C q² / p of those that are named more rarely than q / p are kept.

    Example:
        >>> most_named(38, 0.9, 25, 1.0)
        9
    """
    return min(features, math.floor(math.sqrt(wrong * features / constant(share, pairs))))
