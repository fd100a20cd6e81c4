"""Events pushed into a view's online rows: the next read sees them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros, iso, now
from drivetrain.core.errors import RequestError
from drivetrain.core.protocols import OnlineStore
from drivetrain.data.source import Source
from drivetrain.data.treatment import Keys
from drivetrain.features.online.arrive import Arrivals
from drivetrain.features.online.history import nothing
from drivetrain.features.online.layout import PUSHED, Layout, events_of, trimmed_until
from drivetrain.features.online.merge import Merge, Read
from drivetrain.features.online.ordinary import Row
from drivetrain.features.online.pack import Present
from drivetrain.features.online.pending import appended, empty_row, encode_event
from drivetrain.features.view import FeatureView

PENDING_MOST = 48
"""Events that may be pending in a row before they are packed; of an entity with many, one for every sixteen."""
_AHEAD = DAY
_Arrived = tuple[Micros, list[bytes]]
"""Events of one entity as rows have them, and the time of the oldest."""


class Pusher:
    """Pushes events into one view.

    An event is a row as the view's table has it, known by its source's key: pushed twice it counts once, and when the
    table brings its row, the row takes its place. A push is kept when the call returns, whole or not at all; reads see
    it from then on, at moments from its availability on. Several processes may push at once.

    Args:
        online: The online store.
        view: The view.
        source: The view's source.
        types: Types of the table's columns, for those that the source's contract does not declare.
        keys: Keys that the source's columns are treated with: events are treated as rows are.
        grace: How far behind an entity's newest event a request may be; as in :func:`~.materialise.materialise`.
        clock: The present, microseconds.
    """

    def __init__(
        self,
        online: OnlineStore,
        view: FeatureView,
        source: Source,
        *,
        types: Mapping[str, pl.DataType] | None = None,
        keys: Keys | None = None,
        grace: Micros = DAY,
        clock: Callable[[], Micros] = now,
    ) -> None:
        self._online = online
        self._view = view
        self._layout = Layout(view)
        self._arrivals = Arrivals(view, source, types, keys)
        self._empty = partial(empty_row, self._layout)
        self._grace = grace
        self._clock = clock
        self._sequence = PUSHED

    def push(self, rows: Sequence[Row]) -> int:
        """Pushes events, all or none.

        Args:
            rows: A mapping each, with the source's key, its times, the entity's keys and what the features read.

        Returns:
            How many were kept; one whose entity's key is null counts for no entity and is left out.

        Raises:
            RequestError: An event is not what the contract and the view expect, lies in the future, or is older than
                what its entity's row still tells apart.
            StoreError: The store is full or away; nothing was kept.
        """
        ahead = self._clock() + _AHEAD
        # Later pushes win ties, between processes as well as their clocks agree.
        self._sequence = max(self._sequence + 1, PUSHED + time.time_ns())
        sequence = self._sequence
        by_entity: dict[bytes, _Arrived] = {}
        for key, moment, known, identity, values in self._arrivals.read(rows):
            if moment > ahead:
                raise self._refused("lies in the future", moment, f"at most {iso(ahead)}")
            if key is not None:
                event = encode_event((moment, known, sequence, identity, values))
                oldest, events = by_entity.get(key) or (moment, [])
                events.append(event)
                by_entity[key] = min(oldest, moment), events
            sequence += 1
        self._sequence = sequence
        if by_entity:
            self._online.update(self._view.space, partial(self._change, by_entity))
        return sum(len(events) for _, events in by_entity.values())

    def _change(self, by_entity: Mapping[bytes, _Arrived], read: Read) -> list[tuple[bytes, bytes | None]]:
        made: list[tuple[bytes, bytes | None]] = []
        crowded: dict[bytes, bytes] = {}
        for (key, (oldest, events)), found in zip(by_entity.items(), read(list(by_entity)), strict=True):
            row = self._empty() if found is None else found
            if oldest <= trimmed_until(row):
                raise self._refused(
                    "is older than what its entity's online row tells apart",
                    oldest,
                    f"later than {iso(trimmed_until(row))}",
                )
            row, many = appended(row, events)
            if many > PENDING_MOST and many > events_of(row) // 16:
                crowded[key] = row
            else:
                made.append((key, row))
        return made + self._packed(crowded, read) if crowded else made

    def _packed(self, rows: Mapping[bytes, bytes], read: Read) -> list[tuple[bytes, bytes | None]]:
        def read_here(keys: Sequence[bytes]) -> list[bytes | None]:
            return [rows[key] if key in rows else read([key])[0] for key in keys]

        merge = Merge(self._layout, Present(self._clock(), self._grace), anew=False)
        return merge.rows(read_here, list(rows), nothing(self._layout), np.empty(0, dtype=np.int64))

    def _refused(self, why: str, moment: Micros, expected: str) -> RequestError:
        return RequestError(
            f"an event pushed to view {self._view.name!r} {why}",
            found=iso(moment),
            expected=expected,
            do="Nothing of this push was kept; let such a row come through its source",
        )
