"""Tokens: who may ask an inference server for what."""

from __future__ import annotations

from typing import Literal, TypeAlias

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record

TokenScope: TypeAlias = Literal["predict", "feedback", "push", "read", "metrics"]


class Token(Record, frozen=True, kw_only=True):
    """What is kept of a token; the token itself is shown once and kept nowhere.

    Attributes:
        name: Who or what it was made for; one token goes by it at a time.
        id: The token's public part, by which logs and figures name it.
        salt: Hex; goes before the token into its digest.
        digest: SHA-256 of salt and token, hex. One round is right for a secret of 256 random bits: nobody can try them
            all, however fast one try is. Slow hashes (bcrypt, scrypt) are for passwords that people choose, and would
            cost every request what a hundred predictions cost.
        scopes: What it may be used for: ``predict`` (explanations too), ``feedback``, ``push`` (events into features),
            ``read`` (what is served, and in which versions) and ``metrics``.
        endpoints: The only endpoints it may predict with, label or read about; none stands for all.
        expires: Moment from which it is refused; 0 for never.
        rate: Requests a second; 0 for as many as the server takes.
        revoked: Since when it is refused; 0 while it is not.
    """

    kind = "token"

    name: str
    id: str
    salt: str
    digest: str
    scopes: tuple[TokenScope, ...]
    endpoints: tuple[str, ...] = ()
    expires: Micros = 0
    rate: float = 0.0
    revoked: Micros = 0

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def subject(self) -> str:
        """The name."""
        return self.name
