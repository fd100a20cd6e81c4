"""Many comparisons at once: probabilities raised so that any false word at all keeps to the stated rate."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats

_LEAST = 1e-12
_SAME = 1e-9


def holm(p_values: Floats) -> Floats:
    """Probabilities corrected for their number, whatever hangs together among them.

    Source: Holm (1979).

    Args:
        p_values: One each comparison, shape (comparisons,).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    raised = p_values[order] * np.arange(len(p_values), 0, -1)
    found = np.empty_like(p_values)
    found[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return found


def westfall_young(values: Floats, drawn: Floats) -> tuple[Floats, Floats]:
    """Probabilities and corrected ones from draws that all comparisons share, so that what hangs together counts once.

    Source: Westfall and Young, "Resampling-based multiple testing" (1993), the step-down maximum. What is compared over
    columns is how many deviations a logarithm stands above its mean, so that each column has a like say.

    Args:
        values: What was seen, none below 0, shape (comparisons,).
        drawn: What chance did, shape (draws, comparisons).

    Returns:
        Probability of each alone, and corrected.

    Example:
        >>> drawn = np.random.default_rng(1).random((99, 2))
        >>> [found.tolist() for found in westfall_young(np.array([2.0, 0.0]), drawn)]
        [[0.01, 1.0], [0.01, 1.0]]
    """
    # What was seen is one of the draws, where nothing changed.
    whole = np.log(np.maximum(np.vstack([values, drawn]), _LEAST))
    spread = whole.std(axis=0)
    score = (whole - whole.mean(axis=0)) / np.where(spread > _SAME, spread, 1.0)
    alone = (score >= score[0] - _SAME).mean(axis=0)
    order = np.argsort(score[0], kind="stable")
    most = np.maximum.accumulate(score[:, order], axis=1)
    corrected = (most >= score[0, order] - _SAME).mean(axis=0)
    found = np.empty_like(corrected)
    found[order] = np.maximum.accumulate(corrected[::-1])[::-1]
    return alone, found
