"""scikit-learn's digits (Alpaydin and Kaynak, 1998): 1,797 of 8 × 8 points, a fixed fifth held back."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from drivetrain.core.protocols import FitTask, Fitted
from drivetrain.core.records import Field, InputSchema


@cache
def _cut() -> list[np.ndarray]:
    rows, labels = load_digits(return_X_y=True)
    cut: list[np.ndarray] = train_test_split(rows, labels, test_size=0.2, random_state=0, stratify=labels)
    return cut


def digits() -> FitTask:
    """What teaches; the fifth held back is in it nowhere."""
    rows, _, labels, _ = _cut()
    return FitTask(
        rows=rows, labels=labels.astype(np.float64), kind="multiclass", classes=tuple("0123456789"),
        schema=InputSchema(tuple(Field(f"point {at}") for at in range(64))), parameters={}, seed=0, threads=1,
    )  # fmt: skip


def share_right(fitted: Fitted) -> float:
    """Accuracy on the fifth held back."""
    _, rows, _, labels = _cut()
    return float(np.mean(np.argmax(np.asarray(fitted.predict(rows)), axis=1) == labels))
