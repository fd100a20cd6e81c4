"""How encoded rows become a network's inputs: what was learned of them, as data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers are scaled, nulls become the mean with a flag beside it, categories become one column each.

    Inputs come in this order: the numbers; a flag for each column that had gaps; for each category column one input a
    category, and one for null and what was never seen; the numbers that texts were made of, as they are.
    """

    fields: int
    """Columns of the encoded rows."""
    numbers: tuple[int, ...]
    """Which of them are numbers."""
    means: tuple[float, ...]
    scales: tuple[float, ...]
    """Standard deviations; 1 where a column does not vary."""
    gaps: tuple[int, ...]
    """Which of the numbers were null at times."""
    categories: tuple[tuple[int, int], ...]
    """(column, how many categories) of the others."""
    texts: tuple[int, ...] = ()
    """Which columns are numbers of texts."""
    limit: float
    """Scaled numbers lie between minus this and this: one wild value must not drown a row."""

    @property
    def width(self) -> int:
        """How many inputs there are."""
        return len(self.numbers) + len(self.gaps) + sum(count + 1 for _, count in self.categories) + len(self.texts)


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before and after a network: with it, margins are answers."""

    preparation: Preparation
    link: Literal["sigmoid", "softmax", "identity"]
    mean: float = 0.0
    spread: float = 1.0
    """A margin of ``identity`` is in units of these: the answer is ``margin * spread + mean``."""
