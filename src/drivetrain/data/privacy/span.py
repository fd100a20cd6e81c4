"""A stretch of text that looks like personal data."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "email",
    "phone",
    "card",
    "iban",
    "national number",
    "ip",
    "mac",
    "url with user",
    "address",
    "name",
    "birth date",
    "location",
]
"""What personal data is; the last three are told by a column's name, or by an adapter that knows language."""

SENSITIVE: frozenset[Kind] = frozenset({"card", "iban", "national number"})
"""Kinds whose columns are at least ``sensitive``; the rest is ``personal``."""

LIKELY = 0.5
"""Score from which a span is reported."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """What was found.

    Attributes:
        kind: What it is.
        start: Offset of its first character.
        end: Offset after its last.
        score: How sure, 0 to 1: a checksum and a word beside it that says so count more than a shape.
        why: What it rests on, in words.
    """

    kind: Kind
    start: int
    end: int
    score: float
    why: str
