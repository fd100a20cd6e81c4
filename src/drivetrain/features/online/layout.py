"""How an entity's events lie in bytes.

An entity has a head::

    HEAD | lifetimes | lasts | event times | records | history | tiles | states | tail | pending

and under a key of its own a history, which only those read who have to look at the events themselves. ``lifetimes``
are the features over the whole history as of the newest event, ``lasts`` the event time of the oldest looked-up value,
then those that are numbers, then the event times of all. ``records`` has an entry for every event and one more: the
aggregates of all events from that one on, so that a window is one binary search and one read; a view with a feature
that can't be answered so (:attr:`Layout.scanned`) has none, is answered from its events, and has the history of up to
:data:`FLAT` of them in its head. ``states`` are the moments of trimmed events. ``tail`` is msgpack: what numbers in the
history stand for, and all looked-up values where they are not all numbers. ``pending`` is msgpack too: events that were
pushed since the row was packed; see :mod:`.pending`.

Everything up to the tail is 64-bit numbers, and a head without anything pending is a whole number of them long, so
that many heads put one after the other are one vector.

The history is event times, availability, sequence, identity, and the values of every input. Of at most :data:`SMALL`
events it lies in the head, after the records, and there is no other key: most entities of most tables are small. Of
more than :data:`FLAT` events the head keeps only the first event time of every page::

    HEAD | lifetimes | lasts | first event time of each page | the first record | states | tail | pending

and pages of :data:`PAGE` events have keys of their own. Pages and history carry the head's stamp, so that a reader that
holds an old head never joins it with a new page.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.core.errors import FeatureError
from drivetrain.features.aggregate import ADDED_UP, Kind
from drivetrain.features.view import Feature, FeatureView

SMALL = 16
FLAT = 128
PAGE = 128
HEAD = struct.Struct("<BBHIIIiIqqqqqqq")
"""Layout number, flags, tiles (16 bits of them), tiles and events, offsets of the tail and of what is pending, most
pages ever, tiles (the other bits), newest event, latest availability, the same two of those trimmed, greatest sequence
of the table's rows that were put in, the last moment that no window may begin before, stamp."""
LAYOUT = 4
PAGED, TYPED, PENDING, INLINE = 1, 2, 4, 8
"""Flags: the entity has pages; looked-up values are not all numbers; events were pushed since it was packed; the
history lies in the head."""
TIMES = 4
"""Rows of the history before the values: event time, availability, sequence, identity."""
PUSHED = 1 << 62
"""Sequences from here on are of events that were pushed and that no row of the table has confirmed yet."""
NEVER = -(1 << 63)
TRIED = b"t"
"""Key of the table's versions that are being put in, or were when it was cut off."""
STATES = 7
"""Numbers kept of trimmed events for each input: count, sum and sum of squares in two parts each, extremes."""

_key = msgspec.msgpack.Encoder().encode


class Layout:
    """Where each of a view's features is found.

    Attributes:
        view: The view.
        endless: Whether some feature asks the whole history for what does not add up: then nothing is ever trimmed.
        cells: What a record holds: aggregates of inputs, in order.
        spans: Finite windows and their hops, in order.
        scanned: Whether some feature has to be answered from the events themselves.
        lifetimes: Positions of the features over the whole history.
        lasts: Positions of the looked-up features.
        stored: Inputs whose values are kept, in order.
        members: Inputs of which is also kept which rows their condition lets through.
        tile: Length of the tiles that trimmed events are kept in, microseconds; 0 where there are none.
        tiled: Inputs of which tiles are kept.
        bases: Inputs of which moments of all trimmed events are kept.
        since: Positions of the features that tell how long ago something was.
        places: For every feature its place in: lifetimes, a record for each span, looked-up values.
    """

    def __init__(self, view: FeatureView) -> None:
        self.view = view
        columns = view.columns
        self.lasts = tuple(at for at, feature in enumerate(columns) if feature.looked_up)
        self.lifetimes = tuple(
            at for at, feature in enumerate(columns) if not feature.looked_up and feature.window is None
        )
        self.scanned = any(feature.offset or not (feature.looked_up or feature.kind in ADDED_UP) for feature in columns)
        self.endless = any(not (feature.looked_up or feature.kind in ADDED_UP or feature.window) for feature in columns)
        finite = [] if self.scanned else [f for f in columns if not f.looked_up and f.window is not None]
        self.cells: tuple[tuple[Kind, int], ...] = tuple(
            dict.fromkeys((feature.kind, feature.input) for feature in finite)
        )
        self.spans: tuple[tuple[Micros, Micros | None], ...] = tuple(
            dict.fromkeys((feature.window or 0, feature.hop) for feature in finite)
        )
        self.stored = tuple(
            at for at, given in enumerate(view.inputs) if given.value is not None or given.where is not None
        )
        looked_up = {columns[at].input for at in self.lasts}
        self.members = tuple(at for at in self.stored if at in looked_up and view.inputs[at].where is not None)
        self.tile, self.tiled = _tile_of([] if self.scanned else finite)
        self.bases = tuple(dict.fromkeys(columns[at].input for at in self.lifetimes))
        self.since = tuple(at for at, feature in enumerate(columns) if feature.kind == "since")
        self.places = () if self.scanned else tuple(self._place(at) for at in range(len(columns)))

    def _place(self, at: int) -> int:
        feature = self.view.columns[at]
        if feature.looked_up:
            return len(self.lifetimes) + len(self.spans) * len(self.cells) + self.lasts.index(at)
        if feature.window is None:
            return self.lifetimes.index(at)
        record = len(self.lifetimes) + self.spans.index((feature.window, feature.hop)) * len(self.cells)
        return record + self.cells.index((feature.kind, feature.input))

    @property
    def value_columns(self) -> int:
        """How many columns of values the history has."""
        return len(self.stored) + len(self.members)

    @property
    def last_words(self) -> int:
        """How many words looked-up values take."""
        return 1 + 2 * len(self.lasts) if self.lasts else 0


def _tile_of(finite: Sequence[Feature]) -> tuple[Micros, tuple[int, ...]]:
    """Length of tiles that serve all windows, and the inputs they are of; 0 and none unless every window has a hop."""
    hops = [feature.hop for feature in finite if feature.hop]
    if not finite or len(hops) < len(finite):
        return 0, ()
    return math.gcd(*hops), tuple(dict.fromkeys(feature.input for feature in finite))


class Tail(msgspec.Struct, frozen=True, array_like=True):
    """The variable part of a head: looked-up values of every type, and what the history's numbers mean."""

    newest: Sequence[float | bool | str | None]
    """Looked-up values, by feature; none where all are numbers, which lie in words."""
    empty: list[float | None]
    """What each is where it is null: NaN for a number."""
    kinds: str
    """For each stored input: ``n`` numbers, ``b`` booleans, ``t`` texts by their place in ``texts``."""
    texts: list[str]


decode_tail = msgspec.msgpack.Decoder(Tail).decode
encode_tail = msgspec.msgpack.Encoder().encode


def key_of(values: Sequence[object], names: Sequence[str]) -> bytes | None:
    """The key of an entity's head; none where a part of its key is null.

    Raises:
        FeatureError: A part is neither text nor integer nor boolean.
    """
    for at, value in enumerate(values):
        if value is None:
            return None
        if type(value) not in _KEY_TYPES:
            if isinstance(value, np.integer | np.bool_ | np.str_):
                return key_of([part.item() if isinstance(part, np.generic) else part for part in values], names)
            raise FeatureError(
                f"key {names[at]!r} can't tell entities apart",
                found=f"{value!r} ({type(value).__name__})",
                expected="text, an integer or a boolean",
            )
    return b"e" + (_key(values[0]) if len(values) == 1 else _key(values))


def key_of_one(value: str | int) -> bytes:
    """The key of the head of an entity with one key column."""
    return b"e" + _key(value)


def keys_of(columns: Mapping[str, Sequence[object]], names: Sequence[str]) -> list[bytes | None]:
    """The keys of the heads of many entities; none where a part of one is null.

    Raises:
        FeatureError: A key is missing, or as :func:`key_of` says.
    """
    parts = key_parts(columns, names)
    if len(names) > 1:
        return [key_of(list(values), names) for values in zip(*parts, strict=True)]
    return [
        b"e" + _key(value) if type(value) is str or type(value) is int else key_of([value], names)
        for value in columns[names[0]]
    ]


def is_head(key: bytes) -> bool:
    """Whether a key of the store is that of a head."""
    return key[:1] == b"e"


def page_key(head: bytes, page: int) -> bytes:
    """The key of one page of an entity."""
    return b"p" + page.to_bytes(4, "big") + head


def history_key(head: bytes) -> bytes:
    """The key of an entity's history."""
    return b"h" + head


def keys_of_entity(head: bytes, row: bytes) -> list[bytes]:
    """Every key an entity may have, given its head: what erasing it has to delete."""
    return [head, history_key(head), *[page_key(head, page) for page in range(HEAD.unpack_from(row)[6])]]


def trimmed_until(row: bytes) -> Micros:
    """Event time of the newest event that was trimmed; :data:`NEVER` if none was."""
    return int.from_bytes(row[40:48], "little", signed=True)


def events_of(row: bytes) -> int:
    """How many events are packed in a row."""
    tiles = int.from_bytes(row[2:4], "little") + (int.from_bytes(row[20:24], "little") << 16)
    return int.from_bytes(row[4:8], "little") - tiles


def key_parts(instance: Mapping[str, object], names: Sequence[str]) -> list[object]:
    """An instance's key.

    Raises:
        FeatureError: It has no such field.
    """
    try:
        return [instance[name] for name in names]
    except KeyError as error:
        raise FeatureError(f"a request lacks the key {error.args[0]!r}", found=sorted(instance)) from None


_KEY_TYPES = frozenset({str, int, bool})
