"""Rows in groups that are dealt to both sides by lot: whole blocks of time, or rows that were grouped by lot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.statistics.blocks import sides

_GROUPS = 400
_FEWEST = 20
_MOST = 4_000


class Dealing(NamedTuple):
    """How rows are dealt.

    Attributes:
        groups: Group of each row, the reference's rows and groups first; -1 of rows that are in none.
        many: How many groups each side has.
        sides: 1 for each group that is the window's: as it is, and then by lot; shape (1 + deals, groups).
    """

    groups: npt.NDArray[np.intp]
    many: tuple[int, int]
    sides: Floats

    @property
    def total(self) -> int:
        """How many groups there are."""
        return sum(self.many)

    @property
    def is_window(self) -> npt.NDArray[np.bool_]:
        """Whether each row is in a group of the window's; rows in no group are not."""
        return self.groups >= self.many[0]


def by_rows(first: int, second: int, draws: int, seed: int) -> Dealing:
    """Groups of equally many rows, by lot.

    Where rows are independent so are groups of them, and dealt whole they tell what chance does as rows would; a
    statistic of sums needs a group's sum alone. A group is one row where there are few. Up to four thousand groups are
    dealt: of a side that has more, some rows by lot.

    Args:
        first: Rows of the reference.
        second: Rows of the window.
        draws: How often.
        seed: Where the lots come from.
    """
    random = np.random.default_rng(seed)
    size = max(1, min((first + second) // _GROUPS, min(first, second) // _FEWEST))
    found, many, before = [], [], 0
    for rows in (first, second):
        count = min(rows // size, _MOST)
        place = np.full(rows, -1, np.intp)
        place[random.permutation(rows)[: count * size]] = before + np.arange(count * size) // size
        found.append(place)
        many.append(count)
        before += count
    return dealt(np.concatenate(found), (many[0], many[1]), draws, random)


def dealt(groups: npt.NDArray[np.intp], many: tuple[int, int], draws: int, random: np.random.Generator) -> Dealing:
    """Deals groups that there are."""
    seen = np.concatenate([np.zeros(many[0]), np.ones(many[1])])
    return Dealing(groups, many, np.vstack([seen, sides(*many, draws, random)]))
