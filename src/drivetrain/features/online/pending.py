"""Events that were pushed since a row was packed: appended to it one by one, put in with the next packing.

They are one msgpack array, whose length stands in its first five bytes, so that one more event is one concatenation.
The table has the last word: an event that it already has is not counted again when it is pushed, whatever it says; of
one that was pushed twice the later stands.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import nan

import msgspec
import numpy as np

from drivetrain.core.clock import Micros
from drivetrain.features.online.history import History, corrupt
from drivetrain.features.online.layout import HEAD, INLINE, LAYOUT, NEVER, PENDING, TIMES, Layout, Tail, encode_tail

Value = float | bool | str | None


class Event(msgspec.Struct, frozen=True, array_like=True):
    """A pushed event.

    Attributes:
        time: Event time, microseconds.
        available: When it is known, microseconds; not before its time.
        sequence: Order of being pushed, from :data:`~.layout.PUSHED` on.
        identity: What tells its row from others, in 64 bits.
        values: Values of the stored inputs, then whether the conditions of looked-up inputs hold.
    """

    time: Micros
    available: Micros
    sequence: int
    identity: int
    values: Sequence[Value]


encode_event = msgspec.msgpack.Encoder().encode
"""An event, or its parts in order: a tuple is made in a fraction of the time."""
_decode = msgspec.msgpack.Decoder(list[Event]).decode
_EMPTY = b"\xdd\x00\x00\x00\x00"  # an array whose length takes four bytes
_FLAGS, _PEND = 1, 12  # where HEAD has them
_KINDS = {str: "t", bool: "b"}


def appended(row: bytes, events: Sequence[bytes]) -> tuple[bytes, int]:
    """A row with more events pending, and how many are then."""
    pend = int.from_bytes(row[_PEND : _PEND + 4], "little")
    if pend == len(row):
        many = len(events)
        flags = (row[_FLAGS] | PENDING).to_bytes(1, "little")
        parts = (row[:_FLAGS], flags, row[_FLAGS + 1 :], _EMPTY[:1], many.to_bytes(4, "big"), *events)
    else:
        many = int.from_bytes(row[pend + 1 : pend + 5], "big") + len(events)
        parts = (row[: pend + 1], many.to_bytes(4, "big"), row[pend + 5 :], *events)
    return b"".join(parts), many


def pending_of(raw: memoryview, layout: Layout) -> list[Event]:
    """The pending events of a row, in the order they were pushed, each row's last one only."""
    if not raw:
        return []
    try:
        found = _decode(raw)
    except msgspec.MsgspecError as error:
        raise corrupt(layout, error) from error
    if len(found) < 2:
        return found
    latest = {event.identity: event for event in found}
    return found if len(latest) == len(found) else sorted(latest.values(), key=lambda event: event.sequence)


def empty_row(layout: Layout) -> bytes:
    """The head of an entity of which nothing is known but what will be pushed."""
    states = [0.0, 0.0, 0.0, 0.0, 0.0, float("inf"), float("-inf")] * len(layout.bases)
    lifetimes = [0.0 if layout.view.columns[at].kind == "count" else nan for at in layout.lifetimes]
    record = [0.0 if kind == "count" else nan for kind, _ in layout.cells]
    many = len(layout.lasts)
    never = [np.full(1, NEVER), np.full(many, nan), np.full(many, NEVER)] if many else []
    looked_up = b"".join(part.tobytes() for part in never)
    body = b"".join((np.array(lifetimes).tobytes(), looked_up, np.array(record).tobytes(), np.array(states).tobytes()))
    tail = encode_tail(Tail([], [], "n" * len(layout.stored), []))
    body += bytes(-len(tail) % 8)
    end = HEAD.size + len(body)
    stamp = int.from_bytes(os.urandom(7), "little")
    head = HEAD.pack(LAYOUT, INLINE, 0, 0, end, end + len(tail), 0, 0, *[NEVER] * 6, stamp)
    return b"".join((head, body, tail))


def history_of(events: Sequence[Event], layout: Layout) -> History:
    """Events as the packer takes them."""
    times = np.array([[e.time, e.available, e.sequence, e.identity] for e in events], dtype=np.int64)
    texts: dict[str, int] = {}
    values = np.empty((layout.value_columns, len(events)))
    kinds = ["n"] * len(layout.stored)
    for at, column in enumerate(zip(*(event.values for event in events), strict=True)):
        if at < len(kinds):
            kinds[at] = kind_of(column)
        values[at] = [number_of(value, kinds[at] if at < len(kinds) else "n", texts) for value in column]
    return History(np.ascontiguousarray(times.T).reshape(TIMES, -1), values, list(texts), "".join(kinds))


def kind_of(values: Sequence[Value]) -> str:
    """What values are, as :attr:`~.layout.Tail.kinds` says it; ``n`` where all are null."""
    return next((_KINDS.get(type(value), "n") for value in values if value is not None), "n")


def number_of(value: Value, kind: str, texts: dict[str, int]) -> float:
    """A value as the history has it: NaN for null and what is of another kind, a text by its place."""
    if type(value) is str:
        return float(texts.setdefault(value, len(texts))) if kind == "t" else nan
    if value is None or kind == "t" or (kind == "b" and type(value) is not bool):
        return nan
    return float(value)
