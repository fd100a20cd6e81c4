"""What fairlearn does with the same rows: its own call, and its own loop over several figures.

Run by ``fairness.py`` in an environment of its own: ``fairness_peer.py WHAT rows.npz``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from fairlearn import metrics
from sklearn.metrics import precision_score

from measure import here


def odds(labels: Any, acted: Any, groups: Any) -> float:
    """Equalized odds."""
    return float(metrics.equalized_odds_difference(labels, acted, sensitive_features=groups))


def frame(labels: Any, acted: Any, groups: Any) -> float:
    """The four rates of every group and their differences, by a MetricFrame."""
    figures = {
        "selection": metrics.selection_rate,
        "caught": metrics.true_positive_rate,
        "wrongly": metrics.false_positive_rate,
        "right": precision_score,
    }
    made = metrics.MetricFrame(metrics=figures, y_true=labels, y_pred=acted, sensitive_features=groups)
    gaps = made.difference()
    return float(max(gaps["caught"], gaps["wrongly"]))


WORK: dict[str, Callable[..., float]] = {"fairlearn": odds, "fairlearn MetricFrame": frame}

if __name__ == "__main__":
    what, place = sys.argv[1:3]
    with np.load(place) as rows:
        labels, acted, names, codes = (rows[name] for name in ("labels", "acted", "names", "codes"))
    groups = names[codes]
    here(what, lambda: WORK[what](labels, acted, groups))
