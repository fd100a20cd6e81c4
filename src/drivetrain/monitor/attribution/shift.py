"""How far the reasons behind answers have moved, and what moves them by chance.

The figure of a feature is its mean absolute SHAP value, as a share of all (Lundberg and Lee, 2017). Ranks alone are
compared by NDCG, as NannyML and Vertex AI have it (Järvelin and Kekäläinen, 2002), but a rank says nothing of how far
features lie apart, and two weak ones that change places weigh as much as anything. What counts is the total variation
between shares, held against what days of the evaluation reach against its other days.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import AttributionSeen, FeatureShare
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.attribution.spec import Attribution

_DEALS = 400
FEWEST_DAYS = 6
"""Days of the evaluation below which chance can't be told."""


def strengths(contributions: Floats, fields: int) -> Floats:
    """What moved each answer: absolute contributions, outputs added up.

    Args:
        contributions: Shape (n, fields + 1) with the expected value last, or (n, outputs, fields + 1).
        fields: How many fields there are.

    Returns:
        Shape (n, fields).
    """
    return np.asarray(np.abs(contributions[..., :-1]).reshape(len(contributions), -1, fields).sum(axis=1), np.float64)


def shares_of(strength: Floats) -> Floats:
    """Each feature's share, adding to one; noughts where nothing moved.

    Example:
        >>> shares_of(np.array([[1.0, 3.0], [1.0, 3.0]])).tolist()
        [0.25, 0.75]
    """
    mean = strength.mean(axis=0)
    whole = float(mean.sum())
    return np.asarray(mean / whole if whole > 0 else mean, np.float64)


def total_variation(one: Floats, other: Floats) -> float:
    """Half of the sum of all differences: what share of the reasons is another's now.

    Example:
        >>> total_variation(np.array([0.75, 0.25]), np.array([0.25, 0.75]))
        0.5
    """
    return float(np.abs(one - other).sum() / 2)


def rank_agreement(now: Floats, then: Floats) -> float:
    """NDCG of the window's order of features, the reference's shares being what they are worth; 1 for the same order.

    Example:
        >>> shares = np.array([0.6, 0.3, 0.1])
        >>> rank_agreement(shares, shares), round(rank_agreement(shares[::-1], shares), 3)
        (1.0, 0.702)
    """
    discount = 1.0 / np.log2(np.arange(2, len(then) + 2))
    best = float((np.sort(then)[::-1] * discount).sum())
    return float((then[np.argsort(-now, kind="stable")] * discount).sum() / best) if best > 0 else 1.0


def threshold_of(
    then: Floats, days: npt.NDArray[np.int64], *, rows: int, window_days: int, asked: Attribution, seed: int = 0
) -> float | None:
    """What the total variation reaches by chance.

    Days of the evaluation stand for a window, drawn with replacement, and as many of their rows as it has; they are
    held against the days that were not drawn, so that no row is held against itself.

    Args:
        then: What moved each answer of the evaluation, shape (n, fields).
        days: Of each, shape (n,).
        rows: Of the window that are explained.
        window_days: Days that these lie in.
        asked: The rate of false alarms.
        seed: Of the draws.

    Returns:
        None where the evaluation has fewer than :data:`FEWEST_DAYS` days.
    """
    known, at = np.unique(days, return_inverse=True)
    if len(known) < FEWEST_DAYS:
        return None
    random = np.random.default_rng(seed)
    found = []
    sums = np.zeros((len(known), then.shape[1]))
    np.add.at(sums, at, then)
    for _ in range(_DEALS):
        drawn = random.integers(0, len(known), min(window_days, len(known) // 2))
        pool = np.concatenate([np.flatnonzero(at == day) for day in drawn])
        picked = then[random.choice(pool, rows)]
        rest = np.ones(len(known), np.bool_)
        rest[drawn] = False
        found.append(total_variation(shares_of(picked), shares_of(sums[rest])))
    return float(np.quantile(found, 1.0 - asked.false_alarm))


def compare_reasons(
    now: Floats, then: Floats, names: Sequence[str], *, chance: float, asked: Attribution, days: int
) -> AttributionSeen:
    """A window's reasons beside those of the evaluation.

    Args:
        now: What moved each answer of the window, shape (n, fields).
        then: Shares of the evaluation, shape (fields,).
        names: Of the fields.
        chance: What the total variation reaches by chance.
        asked: What is watched.
        days: Days that the window's answers lie in.
    """
    ours = shares_of(now)
    value, threshold = total_variation(ours, then), max(chance, asked.effect)
    places = [np.argsort(np.argsort(-shares, kind="stable")) + 1 for shares in (ours, then)]
    order = np.argsort(-np.abs(ours - then), kind="stable")
    return AttributionSeen(
        value=value,
        threshold=threshold,
        chance=chance,
        drifted=value > threshold,
        agreement=rank_agreement(ours, then),
        rows=len(now),
        days=days,
        features=tuple(
            FeatureShare(
                feature=names[at],
                now=float(ours[at]),
                then=float(then[at]),
                rank=int(places[0][at]),
                rank_then=int(places[1][at]),
            )
            for at in order
        ),
    )
