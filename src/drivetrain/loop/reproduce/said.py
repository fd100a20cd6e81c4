"""What came of making a version again."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from drivetrain.loop.making import Change

Verdict: TypeAlias = Literal["bits", "predictions", "different"]
"""Every artifact is the same, byte for byte; they answer alike within the tolerance; they do not."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Something of the version, then and now.

    Attributes:
        name: What.
        equal: Whether it is the same.
        then: What it was, in a few words.
        now: What it is.
    """

    name: str
    equal: bool
    then: str = ""
    now: str = ""


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was made again.

    Attributes:
        model: The model.
        version: Its number.
        verdict: How far both are the same.
        parts: Rows, schema, parameters, trials and artifacts, one by one.
        code: What today's project declares otherwise; only where it was made again anyway.
        environment: Packages and machine that are otherwise.
        rows: Rows on which answers were compared; 0 where bytes told enough.
        difference: Largest difference of an answer; none where none was compared.
        tolerance: Largest difference that counts as the same.
        notes: What could not be looked at, and why.
        seconds: How long it took.
    """

    model: str
    version: int
    verdict: Verdict
    parts: tuple[Part, ...]
    code: tuple[Change, ...] = ()
    environment: tuple[Change, ...] = ()
    rows: int = 0
    difference: float | None = None
    tolerance: float
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def same(self) -> bool:
        """Whether it answers as the version does."""
        return self.verdict != "different"
