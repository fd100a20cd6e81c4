"""A linear rule that tells the window's points from the reference's: where it can, something has changed."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.area import dealt_areas
from drivetrain.monitor.texts.dealing import Dealing
from drivetrain.monitor.texts.fourier import Points, Rows

_MOST = 5_000
"""Rows a side that it looks at."""
_COLUMNS = 400
_SHRUNK = 0.1
_FEWEST = 4
"""Groups of a side that it needs."""


def areas(points: Points, known: np.ndarray, dealing: Dealing, seed: int) -> Floats | None:
    """Fisher's linear discriminant learns on half the groups which rows are the window's, and says it of the others.

    Halves and not folds: rules of several folds share what they learned from, so that their mean varies more than lots
    dealt within folds tell.

    Source: Kim, Ramdas, Singh and Wasserman, "Classification accuracy as a proxy for two-sample testing" (2021), who
    take this rule and halves; the covariance is shrunk towards the identity, for there may be more columns than rows.

    Args:
        points: Rows of both sides.
        known: Which have a value.
        dealing: Their groups.
        seed: Where the sample, and the lots, come from.

    Returns:
        Area under the ROC curve, as it is and as dealt by lot; none where a side has fewer than four groups.
    """
    random = np.random.default_rng(seed)
    picked = []
    for window in (False, True):
        mine = np.flatnonzero(known & (dealing.groups >= 0) & (dealing.is_window == window))
        picked.append(np.sort(random.choice(mine, min(_MOST, len(mine)), replace=False)))
    numbers = [np.unique(dealing.groups[rows], return_inverse=True)[1] for rows in picked]
    if any(not len(rows) or int(number.max()) + 1 < _FEWEST for rows, number in zip(picked, numbers, strict=True)):
        return None
    chosen = np.concatenate(picked)
    values = points.dense(chosen, _COLUMNS) if isinstance(points, Rows) else points[chosen].astype(np.float64)
    is_window = np.repeat([False, True], [len(rows) for rows in picked])
    taught = np.concatenate(numbers) % 2 == 0
    rule = _rule(values[taught], is_window[taught])
    judged = ~taught
    return dealt_areas(values[judged] @ rule, is_window[judged], dealing.groups[chosen][judged], random)


def _rule(values: Floats, is_window: np.ndarray) -> Floats:
    between = values[is_window].mean(axis=0) - values[~is_window].mean(axis=0)
    centred = values - values.mean(axis=0)
    within = centred.T @ centred / len(centred)
    spread = max(float(np.trace(within)) / len(within), 1e-12)
    return np.asarray(np.linalg.solve(within + _SHRUNK * spread * np.eye(len(within)), between))
