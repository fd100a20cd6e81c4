"""Functions that build modules, for trainers to name."""

from __future__ import annotations

from typing import Any


def small(inputs: int, outputs: int) -> Any:
    """Two layers; dropout draws random numbers, so that a fit has a state to take up."""
    from torch import nn

    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Dropout(0.05), nn.Linear(32, outputs))


def convolutions(inputs: int, outputs: int) -> Any:
    """Digits of 8 × 8 points."""
    from torch import nn

    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.3), nn.Linear(64 * 16, 64), nn.ReLU(), nn.Linear(64, outputs),
    )  # fmt: skip


def narrow(inputs: int, outputs: int) -> Any:
    from torch import nn

    return nn.Linear(inputs, outputs + 1)


def nothing(inputs: int, outputs: int) -> Any:
    return "no module"


def narrowest(inputs: int, outputs: int) -> Any:
    """Of a batch only the sum matters."""
    from torch import nn

    return nn.Linear(inputs, outputs)
