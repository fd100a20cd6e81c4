"""How probable it is that each of several uncertain numbers is the greatest: the shares of Thompson sampling.

A Thompson sampler draws a number from every arm's belief and takes the greatest. That an arm is taken with exactly this
probability makes the draw unnecessary: requests are assigned by hash with these shares, and the log knows the
probability of every choice, which whoever evaluates another policy on the log needs.

Source: W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two
samples", Biometrika 25 (1933).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, pi, prod, sqrt

LEAST_SHARE = 0.01
"""What every arm of a bandit gets at least: what is never tried can't be found to have become better."""
_ROOT = sqrt(2.0)
_NODES = 48
_WIDE = 6.0
_STEP = 2 * _WIDE / _NODES
_AT = [-_WIDE + _STEP * (place + 0.5) for place in range(_NODES)]
_WEIGHTS = [exp(-z * z / 2) / sqrt(2 * pi) * _STEP for z in _AT]


def greatest(means: Sequence[float], variances: Sequence[float]) -> list[float]:
    """Probability of each of several independent normal beliefs to be the greatest; they add up to 1.

    Args:
        means: Of the beliefs.
        variances: Of the beliefs; not negative. Of beliefs without variance the first greatest wins.
    """
    spread = [sqrt(variance) for variance in variances]
    if not any(spread):
        best = means.index(max(means))
        return [float(place == best) for place in range(len(means))]
    if len(means) == 2:
        first = _below((means[0] - means[1]) / sqrt(variances[0] + variances[1]))
        return [first, 1.0 - first]
    found = [
        sum(
            weight * prod(_over(means[own] + spread[own] * z, means[at], spread[at]) for at in _others(own, means))
            for z, weight in zip(_AT, _WEIGHTS, strict=True)
        )
        for own in range(len(means))
    ]
    whole = sum(found)
    return [share / whole for share in found]


def floored(shares: Sequence[float], least: float) -> list[float]:
    """Shares of which none is below the least; they add up to 1.

    Example:
        >>> floored([1.0, 0.0], 0.02)
        [0.98, 0.02]
    """
    least = min(least, 1.0 / len(shares))
    return [least + (1.0 - least * len(shares)) * share for share in shares]


def _others(own: int, means: Sequence[float]) -> list[int]:
    return [at for at in range(len(means)) if at != own]


def _over(value: float, mean: float, spread: float) -> float:
    """Probability that a belief lies below a value."""
    return _below((value - mean) / spread) if spread else float(value > mean) + 0.5 * float(value == mean)


def _below(z: float) -> float:
    return 0.5 * (1.0 + erf(z / _ROOT))
