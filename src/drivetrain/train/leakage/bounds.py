"""Bounds on what chance can do: of shares, of areas under curves, of labels that fall into order by luck."""

from __future__ import annotations

import math

import numpy as np

from drivetrain.core.special import special


def share_bounds(successes: float, trials: float, chance: float) -> tuple[float, float]:
    """Bounds of a share that each fail with probability ``chance`` at most (Clopper and Pearson, 1934).

    Args:
        successes: How many of the trials came true; need not be whole.
        trials: How many there were.
        chance: Probability that the share lies below the lower bound, and of the same above the upper.

    Example:
        >>> [round(float(bound), 3) for bound in share_bounds(95, 100, 0.025)]
        [0.887, 0.984]
    """
    quantile = special().betaincinv
    low = quantile(successes, trials - successes + 1, chance) if successes > 0 else 0.0
    high = quantile(successes + 1, trials - successes, 1 - chance) if successes < trials else 1.0
    return float(low), float(high)


def area_bounds(area: float, positives: float, negatives: float, chance: float) -> tuple[float, float]:
    """Bounds of a ROC AUC, for any shape of scores.

    Its variance is at most AUC (1 - AUC) / min(positives, negatives) (Birnbaum and Klose, 1957): that of a share of so
    many trials, whose exact bounds are taken. They are wider than need be where scores are well-behaved, and hold where
    only a handful of labels are positive.
    """
    trials = min(positives, negatives)
    return share_bounds(area * trials, trials, chance)


def precision_bounds(precision: float, positives: int, chance: float) -> tuple[float, float]:
    """Bounds of an average precision: those of a share of as many trials as there are positives.

    As Boyd, Eng and Page (2013) advise, but exact where their logit interval has no width (a precision of 1).
    """
    return share_bounds(precision * positives, positives, chance)


def rank_bounds(correlation: float, rows: int, chance: float) -> tuple[float, float]:
    """Bounds of a rank correlation by Fisher's z, with the variance of Fieller, Hartley and Pearson (1957)."""
    if rows < 10:
        return -1.0, 1.0
    width = float(special().ndtri(1 - chance)) * math.sqrt(1.06 / (rows - 3))
    centre = math.atanh(min(max(correlation, -1 + 1e-15), 1 - 1e-15))
    return math.tanh(centre - width), math.tanh(centre + width)


def log_chance_of_pieces(rows: int, others: int, pieces: int, labels: int) -> float:
    """Logarithm of a bound on the chance that labels in random order fall into so few pieces of equal labels.

    Args:
        rows: How many labels stand in order.
        others: How many are not the commonest.
        pieces: At most so many stretches of equal labels.
        labels: How many different ones there are.

    Example:
        >>> math.exp(log_chance_of_pieces(100, 50, 2, 2)) < 1e-26
        True
    """
    cuts = [log_choose(rows - 1, cut) + cut * math.log(max(labels - 1, 1)) for cut in range(min(pieces, rows))]
    return math.log(labels) + float(np.logaddexp.reduce(cuts)) - log_choose(rows, others)


def log_choose(many: int, of: int) -> float:
    """Logarithm of how many ways there are to choose.

    Example:
        >>> round(math.exp(log_choose(5, 2)))
        10
    """
    return math.lgamma(many + 1) - math.lgamma(of + 1) - math.lgamma(many - of + 1)
