"""How far a space is filled: kept with the rows, in the same write."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """What a space holds.

    Attributes:
        version: Version of the table.
        sequence: The last sequence number in it.
        rows: How many rows the table had.
        at: When it was written, microseconds.
        newest: Latest availability of any row, microseconds.
    """

    version: int
    sequence: int
    rows: int
    at: Micros
    newest: Micros


encode_mark = msgspec.msgpack.Encoder().encode
decode_mark = msgspec.msgpack.Decoder(Mark).decode
