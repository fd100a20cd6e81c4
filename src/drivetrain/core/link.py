"""Links: what takes a model's margin, the scale on which contributions add up, to its answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

Link: TypeAlias = Literal["logistic", "softmax", "identity", "log"]
"""``logistic`` and ``softmax`` have margins in log-odds, ``identity`` the answer itself, ``log`` its logarithm."""

TOLERANCE = 1e-3
"""Largest difference of an answer, of one plus its size, from its margin's: served models may compute in 32 bits."""

_LARGEST = 700.0
"""Beyond it exp leaves the range of a double."""


def link_of(
    margins: Sequence[Sequence[float]], answers: Sequence[Sequence[float]], tolerance: float = TOLERANCE
) -> Link | None:
    """The link that takes every row's margins to its answers; none if none does.

    Args:
        margins: For each row one margin an output.
        answers: For each row what the model says, one number an output.
        tolerance: How far they may be apart.

    Example:
        >>> link_of([[0.0], [2.0]], [[0.5], [0.8808]])
        'logistic'
    """
    for link, applied in _LINKS.items():
        if all(_near(applied(margin), answer, tolerance) for margin, answer in zip(margins, answers, strict=True)):
            return link
    return None


def _logistic(margins: Sequence[float]) -> list[float]:
    return [1.0 / (1.0 + math.exp(min(-margin, _LARGEST))) for margin in margins]


def _softmax(margins: Sequence[float]) -> list[float]:
    top = max(margins)
    weights = [math.exp(margin - top) for margin in margins]
    return [weight / sum(weights) for weight in weights]


def _identity(margins: Sequence[float]) -> list[float]:
    return list(margins)


def _exp(margins: Sequence[float]) -> list[float]:
    return [math.exp(min(margin, _LARGEST)) for margin in margins]


_LINKS: Mapping[Link, Callable[[Sequence[float]], list[float]]] = MappingProxyType(
    {"logistic": _logistic, "softmax": _softmax, "identity": _identity, "log": _exp}
)


def _near(said: Sequence[float], answer: Sequence[float], tolerance: float) -> bool:
    return len(said) == len(answer) and all(
        abs(one - other) <= tolerance * (1.0 + abs(other)) for one, other in zip(said, answer, strict=True)
    )
