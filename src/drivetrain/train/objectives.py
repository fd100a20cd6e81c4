"""What a search may be for, beside how good a model is."""

from __future__ import annotations

from drivetrain.train.score import sign

LATENCY = "latency"
"""Microseconds for one row, by the engine that would serve the model: the least of many, on the machine that trains."""
SIZE = "size"
"""Bytes of the artifact that would be served."""
COSTS = (LATENCY, SIZE)


def sense(objective: str) -> float:
    """1 where greater is better, -1 where smaller is.

    Example:
        >>> sense("roc_auc"), sense("log_loss"), sense("latency")
        (1.0, -1.0, -1.0)
    """
    return -1.0 if objective in COSTS else sign(objective)
