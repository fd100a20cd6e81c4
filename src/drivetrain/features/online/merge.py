"""What an entity's row has, what was pushed since, and what a table brings, put together without counting twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from drivetrain.features.exact import Places
from drivetrain.features.online.history import Head, History, corrupt, join, nothing, stamp_of
from drivetrain.features.online.lay import Kept, Row
from drivetrain.features.online.layout import PUSHED, Layout, history_key
from drivetrain.features.online.pack import Present, rows_of
from drivetrain.features.online.pending import history_of, pending_of
from drivetrain.features.online.tiles import Tiles, joined

Read = Callable[[Sequence[bytes]], list[bytes | None]]
Found = Mapping[int, tuple[Head, bytes]]


class Merge:
    """Rows of a table on their way into the rows of their entities.

    A row of the table takes the place of the event that was pushed under its identity. Rows that an entity has already
    are left out, so that a materialisation that died half way can be repeated.

    Args:
        layout: How rows lie in bytes.
        span: From when on requests may be dated.
        anew: Whether the rows given are all that the table has of these entities: what else they hold of it is gone.
    """

    def __init__(self, layout: Layout, span: Present, *, anew: bool) -> None:
        self._layout = layout
        self._span = span
        self._anew = anew

    def rows(self, read: Read, keys: Sequence[bytes], fresh: History, entity: Places) -> list[Row]:
        """The entities' rows with fresh rows put in.

        Args:
            read: Reads rows of the online store.
            keys: Keys of the entities' heads.
            fresh: Rows of the table; none to pack what is pending.
            entity: Entity of each row, by its place in ``keys``.

        Returns:
            Keys and rows; no row where there must not be one any more.
        """
        there = [(at, row) for at, row in enumerate(read(keys)) if row is not None]
        heads = {at: (Head.read(row, self._layout), row) for at, row in there}
        histories = self._histories(read, keys, heads)
        state = self._standing(list(keys), heads)
        parts, owners = [], []
        for at, (head, _) in heads.items():
            own = histories[at]
            parts.append(own.only(own.sequence >= PUSHED) if self._anew else own)
            owners.append(at)
            if pending := pending_of(head.pending, self._layout):
                parts.append(history_of(pending, self._layout))
                owners.append(at)
        new = fresh.sequence > state.sequence[entity]
        if not new.all():
            fresh, entity = fresh.only(new), entity[new]
        np.maximum.at(state.sequence, entity, fresh.sequence)
        sizes = np.array([part.times.shape[1] for part in parts], np.int64)
        where = np.append(entity, np.repeat(np.array(owners, np.int64), sizes))
        parts = [fresh, *parts]
        history = join(parts, _kinds(parts))
        if (history.sequence >= PUSHED).any():
            kept = _once(where, history)
            history, where = history.only(kept), where[kept]
        return rows_of(self._layout, history, where, state, self._span)

    def _standing(self, keys: list[bytes], heads: Found) -> Kept:
        """What is known of the entities beside their events: a column at once, as there may be many."""
        state = Kept.nothing(keys, self._layout)
        if not heads:
            return state
        places = list(heads)
        state.pages[places] = [head.pages for head, _ in heads.values()]
        state.apart[places] = [not head.inline for head, _ in heads.values()]
        if self._anew:
            return state
        state.trimmed[places] = [head.trimmed for head, _ in heads.values()]
        state.sequence[places] = [head.sequence for head, _ in heads.values()]
        if self._layout.bases:
            state.base[places] = [head.base for head, _ in heads.values()]
        tiles = [
            Tiles(np.full(len(head.tiles[0]), at), *head.tiles) for at, (head, _) in heads.items() if len(head.tiles[0])
        ]
        return replace(state, tiles=joined([Tiles.nothing(self._layout), *tiles]))

    def _histories(self, read: Read, keys: Sequence[bytes], heads: Found) -> dict[int, History]:
        """The packed events of those that have a head, by place."""
        made = dict.fromkeys(heads, nothing(self._layout))
        apart = []
        for at, (head, row) in heads.items():
            if head.inline:
                made[at] = head.history(row, self._layout)
            elif head.events:
                apart.append((at, head))
        histories = read([history_key(keys[at]) for at, _ in apart])
        for (at, head), history in zip(apart, histories, strict=True):
            if history is None or stamp_of(history) != head.stamp:
                raise corrupt(self._layout, "head and history don't fit together")
            made[at] = head.history(history, self._layout)
        return made


def _once(entity: Places, history: History) -> np.ndarray:
    """Which events count: of those of one identity the table's last, or else the one pushed last."""
    confirmed = history.sequence < PUSHED
    order = np.lexsort((history.sequence, confirmed, history.identity, entity))
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (np.diff(entity[order]) != 0) | (np.diff(history.identity[order]) != 0)
    kept = np.empty(len(order), dtype=bool)
    kept[order] = last
    return kept | confirmed


def _kinds(parts: Sequence[History]) -> str:
    """What the values of each stored input are: as the first part says that has some, the table's before others'."""
    return "".join(
        next((part.kinds[at] for part in parts if part.kinds[at] != "n" or not np.isnan(part.values[at]).all()), "n")
        for at in range(len(parts[0].kinds))
    )
