"""Events pushed into a view's online rows: the next read sees them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros, iso, now
from drivetrain.core.errors import RequestError
from drivetrain.core.protocols import OnlineStore
from drivetrain.data.source import Source
from drivetrain.features.online.arrive import Arrivals, Row
from drivetrain.features.online.history import nothing
from drivetrain.features.online.layout import PUSHED, Layout, events_of, trimmed_until
from drivetrain.features.online.merge import Merge, Read
from drivetrain.features.online.pack import Present
from drivetrain.features.online.pending import Event, appended, empty_row, encode_event, pending_count
from drivetrain.features.view import FeatureView

PENDING_MOST = 48
"""Events that may be pending in a row before they are packed; of an entity with many, one for every sixteen."""
_AHEAD = DAY


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
        grace: Micros = DAY,
        clock: Callable[[], Micros] = now,
    ) -> None:
        self._online = online
        self._view = view
        self._layout = Layout(view)
        self._arrivals = Arrivals(view, source, types)
        self._empty = partial(empty_row, self._layout)
        self._grace = grace
        self._clock = clock
        self._sequence = PUSHED
        read = [expr for given in view.inputs for expr in (given.value, given.where) if expr is not None]
        names = {*view.key_columns, *(name for expr in read for name in expr.meta.root_names())}
        columns = source.contract.columns
        self._treated = sorted(name for name in names if name in columns and columns[name].treat is not None)

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
        if self._treated:
            raise RequestError(
                f"view {self._view.name!r} takes no pushed events: what its source does to {', '.join(self._treated)} "
                "before rows are kept is not done here",
                do="Let rows come through the source",
            )
        ahead = self._clock() + _AHEAD
        # Later pushes win ties, between processes as well as their clocks agree.
        self._sequence = max(self._sequence + 1, PUSHED + time.time_ns())
        by_entity: dict[bytes, list[Event]] = defaultdict(list)
        for number, (key, moment, known, identity, values) in enumerate(self._arrivals.read(rows)):
            if moment > ahead:
                raise self._refused("lies in the future", moment, f"at most {iso(ahead)}")
            if key is not None:
                by_entity[key].append(Event(moment, known, self._sequence + number, identity, values))
        self._sequence += len(rows)
        if by_entity:
            self._online.update(self._view.space, partial(self._change, by_entity))
        return sum(map(len, by_entity.values()))

    def _change(self, by_entity: dict[bytes, list[Event]], read: Read) -> Iterator[tuple[bytes, bytes | None]]:
        keys = list(by_entity)
        crowded: dict[bytes, bytes] = {}
        for key, found in zip(keys, read(keys), strict=True):
            row = self._empty() if found is None else found
            events = by_entity[key]
            oldest = min(event.time for event in events)
            if oldest <= trimmed_until(row):
                raise self._refused(
                    "is older than what its entity's online row tells apart",
                    oldest,
                    f"later than {iso(trimmed_until(row))}",
                )
            row = appended(row, [encode_event(event) for event in events])
            if pending_count(row) > max(PENDING_MOST, events_of(row) // 16):
                crowded[key] = row
            else:
                yield key, row
        if crowded:
            yield from self._packed(crowded, read)

    def _packed(self, rows: dict[bytes, bytes], read: Read) -> Iterator[tuple[bytes, bytes | None]]:
        def read_here(keys: Sequence[bytes]) -> list[bytes | None]:
            return [rows[key] if key in rows else read([key])[0] for key in keys]

        merge = Merge(self._layout, Present(self._clock(), self._grace), anew=False)
        yield from merge.rows(read_here, list(rows), nothing(self._layout), np.empty(0, dtype=np.int64))

    def _refused(self, why: str, moment: Micros, expected: str) -> RequestError:
        return RequestError(
            f"an event pushed to view {self._view.name!r} {why}",
            found=iso(moment),
            expected=expected,
            do="Nothing of this push was kept; let such a row come through its source",
        )
