"""Functions that build Flax modules, for trainers to name."""

from __future__ import annotations

from typing import Any


def small(inputs: int, outputs: int) -> Any:
    """Two layers."""
    import flax.linen as nn

    return nn.Sequential([nn.Dense(32), nn.relu, nn.Dense(outputs)])


def convolutions(inputs: int, outputs: int) -> Any:
    """Digits of 8 × 8 points; batch statistics and dropout."""
    import flax.linen as nn

    class Digits(nn.Module):
        @nn.compact
        def __call__(self, x: Any, train: bool = False) -> Any:
            x = x.reshape((x.shape[0], 8, 8, 1))
            for width in (16, 32):
                x = nn.relu(nn.BatchNorm(use_running_average=not train)(nn.Conv(width, (3, 3))(x)))
            x = nn.max_pool(x, (2, 2), (2, 2)).reshape((x.shape[0], -1))
            x = nn.Dropout(0.3, deterministic=not train)(x)
            return nn.Dense(outputs)(nn.relu(nn.Dense(64)(x)))

    return Digits()


def narrow(inputs: int, outputs: int) -> Any:
    import flax.linen as nn

    return nn.Dense(outputs + 1)


def nothing(inputs: int, outputs: int) -> Any:
    return "no module"
