"""Pushes that were missed: events that an answer was made without, while others that the table lacked were in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations, islice

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.records import InputSchema
from drivetrain.features.asked import entity_of
from drivetrain.features.encoding import encode
from drivetrain.features.events import times_of
from drivetrain.features.exact import Floats
from drivetrain.features.point_in_time import features_at
from drivetrain.features.skew import agreeing
from drivetrain.features.view import SEQUENCE, FeatureView

MOST_SETS = 64
"""Sets of rows that are left out, the smallest first, before a prediction is given up."""
MOST_PREDICTIONS = 100
"""Predictions that are looked into, for each view and version of the model."""


@dataclass(frozen=True)
class Missed:
    """What an answer was made without.

    Attributes:
        rows: How many rows.
        others: How many others came into the table after the answer too, and were in it: they had been pushed.
        first: When the first of the rows was known by its own account.
    """

    rows: int
    others: int
    first: Micros


class MissedPushes:
    """Looks for rows without which a view gives what was served.

    Args:
        view: The view.
        table: Its table as it is now.
        fields: Its features as the model reads them.
    """

    def __init__(self, view: FeatureView, table: pl.LazyFrame, fields: InputSchema) -> None:
        self._view = view
        self._table = table
        self._fields = fields
        self._keys, event, available, self._sequence = times_of(view, table)
        self._known = np.maximum(event, available)
        self._left = MOST_PREDICTIONS

    def of(self, key: pl.DataFrame, moment: Micros, served: Floats, last: int) -> Missed | None:
        """The fewest rows without which the entity's values are those that were served; none if there are none.

        Args:
            key: The entity's keys, one row.
            moment: The request's.
            served: Every value of the view.
            last: Sequence of the last row that the table had when it was served.
        """
        mine = np.flatnonzero((entity_of(self._keys, key) == 0) & (self._known <= moment))
        late = mine[self._sequence[mine] > last]
        if len(late) < 2 or not self._left:  # one that came late and was pushed differs from nothing
            return None
        self._left -= 1
        rows = self._table.filter(pl.col(SEQUENCE).is_in(self._sequence[mine].tolist())).collect()
        sets = chain.from_iterable(combinations(late.tolist(), size) for size in range(1, len(late)))
        for absent in islice(sets, MOST_SETS):
            left = rows.filter(~pl.col(SEQUENCE).is_in(self._sequence[list(absent)].tolist()))
            frame = features_at(self._view, left.lazy(), key, np.array([moment]))
            if agreeing(served, encode(frame, self._fields)[0]).all():
                return Missed(len(absent), len(late) - len(absent), int(self._known[list(absent)].min()))
        return None
