"""Which features moved the answers: mean absolute contributions (SHAP importance; Lundberg and Lee, 2017).

Gain says what helped while trees were grown, permutation what is lost without a feature; this says what the answers to
real rows were made of.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.evaluate.ranking import Floats


def moved(contributions: Floats, names: Sequence[str]) -> dict[str, float]:
    """Shares of the features, adding to one, the greatest first; nothing where nothing moved.

    Args:
        contributions: In units of the margin, shape (n, fields + 1) with the expected value last, or (n, outputs,
            fields + 1): outputs are added up.
        names: Of the fields.

    Example:
        >>> moved(np.array([[1.0, -3.0, 0.5], [-1.0, 3.0, 0.5]]), ["a", "b"])
        {'b': 0.75, 'a': 0.25}
    """
    strength = np.abs(contributions[..., :-1]).reshape(len(contributions), -1, len(names)).sum(axis=1).mean(axis=0)
    whole = float(strength.sum())
    if not whole:
        return {}
    order = np.argsort(-strength, kind="stable")
    return {names[at]: float(strength[at] / whole) for at in order}
