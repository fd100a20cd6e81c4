"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> str:
    """A UUID version 7 (RFC 9562, method 3): 60 bits of time to a quarter of a microsecond, then randomness.

    Text order is time order, also of ids that one process makes in the same millisecond.
    """
    millis, nanos = divmod(time.time_ns(), 1_000_000)
    fraction = nanos * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return str(uuid.UUID(int=(millis << 80) | (0x7 << 76) | (fraction << 64) | (0b10 << 62) | random))


def derived_id(*parts: str) -> str:
    """The same UUID (version 5) for the same parts, so that a message sent again is the same message."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "\x1f".join(parts)))
