"""A signature: who vouches that a model version is what it was."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed of a version: all that decides what it answers.

    Attributes:
        form: Which rules the statement was made by.
        model: The model.
        version: Its number.
        artifacts: Name, format, digest and size of every artifact; the first is served.
        input_schema: SHA-256 of the schema, hex: names, types, categories and fills of the model's columns, in order.
        features: View or request-feature name → digest of its definition.
    """

    form: int
    model: str
    version: int
    artifacts: tuple[tuple[str, str, Digest, int], ...]
    input_schema: str
    features: dict[str, Digest]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A statement and the proof that the holder of a key made it.

    Attributes:
        key: Id of the key: the digest of its public half.
        at: When it was signed.
        statement: What the version was then.
        value: The signature, hex.
    """

    key: Digest
    at: Micros
    statement: Statement
    value: str
