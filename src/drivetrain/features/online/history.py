"""An entity's events as an online row keeps them: read from bytes, put together, trimmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivetrain.core.errors import StoreError
from drivetrain.features.exact import Floats, Places
from drivetrain.features.online.layout import HEAD, INLINE, LAYOUT, STATES, TIMES, Layout, Tail, decode_tail


@dataclass(frozen=True, eq=False)
class History:
    """Events of one or several entities.

    Attributes:
        times: Event times, availability (microseconds), sequence and identity; shape (4, events).
        values: Values of the stored inputs, then which rows are members; shape (columns, events), NaN for null. Texts
            are places in ``texts``.
        texts: What text values stand for.
        kinds: What the values of each stored input are.
    """

    times: Places
    values: Floats
    texts: list[str]
    kinds: str

    @property
    def event(self) -> Places:
        """Event times."""
        event: Places = self.times[0]
        return event

    @property
    def available(self) -> Places:
        """When each event became known."""
        available: Places = self.times[1]
        return available

    @property
    def sequence(self) -> Places:
        """Order of ingestion; from :data:`~.layout.PUSHED` on, of being pushed."""
        sequence: Places = self.times[2]
        return sequence

    @property
    def identity(self) -> Places:
        """What tells one row of the table from another, in 64 bits."""
        identity: Places = self.times[3]
        return identity

    def only(self, kept: npt.NDArray[np.bool_]) -> History:
        """Some of the events."""
        return History(self.times[:, kept], self.values[:, kept], self.texts, self.kinds)


@dataclass(frozen=True, eq=False)
class Head:
    """A head, read for what a merge needs.

    Attributes:
        events: How many events the history has.
        tiles: Where tiles begin, and their moments; shape (tiles,), (tiles, inputs, 7).
        inline: Whether the history lies in the head.
        pages: Most pages the entity ever had.
        known: Latest availability of any packed event, microseconds.
        trimmed: Newest event and latest availability of those trimmed, and the moment that no window may begin before,
            microseconds.
        sequence: Greatest sequence of the table's rows that were put in.
        base: Moments of trimmed events, shape (bases, 7).
        tail: The rest.
        pending: Events pushed since, as bytes.
        stamp: What pages and history of the same write carry.
    """

    events: int
    tiles: tuple[Places, Floats]
    inline: bool
    pages: int
    known: int
    trimmed: tuple[int, int, int]
    sequence: int
    base: Floats
    tail: Tail
    pending: memoryview
    stamp: int

    @classmethod
    def read(cls, row: bytes, layout: Layout) -> Head:
        """Reads a head.

        Raises:
            StoreError: It is none, or of another layout.
        """
        try:
            number, flags, tiles, marks, end, pend, pages, more, _, known, *rest = HEAD.unpack_from(row)
            tail = decode_tail(memoryview(row)[end:pend])
        except Exception as error:  # struct and msgspec have errors of their own for bytes that are no head
            raise corrupt(layout, error) from error
        if number != LAYOUT:
            raise corrupt(layout, f"layout {number}")
        tiles += more << 16
        event, latest, sequence, limit, stamp = rest
        size = len(layout.bases) * STATES
        base = np.frombuffer(row, np.float64, size, end // 8 * 8 - 8 * size).reshape(-1, STATES)
        start = end // 8 * 8 - 8 * size
        width = len(layout.tiled) * STATES
        begins = np.frombuffer(row, np.int64, tiles, start - 8 * tiles * (1 + width))
        states = np.frombuffer(row, np.float64, tiles * width, start - 8 * tiles * width)
        return cls(
            marks - tiles,
            (begins, states.reshape(tiles, len(layout.tiled), STATES)),
            bool(flags & INLINE),
            pages,
            known,
            (event, latest, limit),
            sequence,
            base,
            tail,
            memoryview(row)[pend:],
            stamp,
        )

    def history(self, row: bytes, layout: Layout) -> History:
        """The events: from the head's own bytes, or from those under the history's key."""
        columns = layout.value_columns
        size = 8 * self.events * (TIMES + columns)
        end = len(row)
        if self.inline:
            behind = len(layout.bases) * STATES + len(self.tiles[0]) * (1 + len(layout.tiled) * STATES)
            end = HEAD.unpack_from(row)[4] // 8 * 8 - 8 * behind
        try:
            times = np.frombuffer(row, np.int64, TIMES * self.events, end - size).reshape(TIMES, -1)
            values = np.frombuffer(row, np.float64, columns * self.events, end - 8 * self.events * columns)
        except ValueError as error:
            raise corrupt(layout, error) from error
        return History(times, values.reshape(columns, self.events), self.tail.texts, self.tail.kinds)


def stamp_of(row: bytes) -> int:
    """The stamp that a page or a history begins with."""
    return int.from_bytes(row[:8], "little", signed=True)


def nothing(layout: Layout) -> History:
    """No events."""
    values = np.empty((layout.value_columns, 0))
    return History(np.empty((TIMES, 0), dtype=np.int64), values, [], "n" * len(layout.stored))


def join(parts: Sequence[History], kinds: str) -> History:
    """Histories put one after the other, their texts in one list."""
    texts: dict[str, int] = {}
    values = []
    text_rows = [at for at, kind in enumerate(kinds) if kind == "t"]
    for part in parts:
        if part.kinds == kinds and not text_rows:
            values.append(part.values)
            continue
        # What is of another kind than the rest counts as nothing; only a truth is a number as well.
        wrong = [at for at, kind in enumerate(kinds) if part.kinds[at] != kind and part.kinds[at] + kind != "bn"]
        if text_rows or wrong:
            numbers = np.array([texts.setdefault(text, len(texts)) for text in part.texts] or [0], dtype=np.float64)
            renamed = part.values.copy()
            renamed[wrong] = np.nan
            for at in text_rows:
                known = ~np.isnan(renamed[at])
                renamed[at][known] = numbers[renamed[at][known].astype(np.int64)]
            values.append(renamed)
        else:
            values.append(part.values)
    return History(
        np.concatenate([part.times for part in parts], axis=1), np.concatenate(values, axis=1), list(texts), kinds
    )


def corrupt(layout: Layout, why: object) -> StoreError:
    """What to raise where bytes are no row of this view."""
    return StoreError(
        f"an online row of view {layout.view.name!r} can't be read: {why}",
        do=f"Drop the space {layout.view.space} and materialise the view again",
    )
