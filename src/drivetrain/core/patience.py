"""When to stop a fit that is judged round by round."""

from __future__ import annotations

from collections.abc import Sequence


def best_round(values: Sequence[float], patience: int) -> tuple[int, bool]:
    """The round whose loss was least, the first of equals, and whether it is time to stop.

    Args:
        values: Loss on the validation rows after each round so far.
        patience: Rounds without a better one after which there is no use in more.

    Returns:
        The round's position, and whether ``patience`` rounds have come after it.

    Example:
        >>> best_round([0.7, 0.5, 0.6, 0.6], patience=2)
        (1, True)
    """
    best = min(range(len(values)), key=values.__getitem__, default=0)
    return best, len(values) - 1 - best >= patience
