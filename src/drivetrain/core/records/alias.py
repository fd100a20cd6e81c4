"""Names that point at a model version."""

from __future__ import annotations

from typing import Literal, TypeAlias

from drivetrain.core.records.base import Record

AliasName: TypeAlias = Literal["champion", "challenger", "shadow"]


class Alias(Record, frozen=True, kw_only=True):
    """Which version of a model answers to a name, since when and because of what.

    ``version`` is none where the name points at nothing (any more). ``previous`` is what :func:`rollback` returns to.
    """

    kind = "alias"

    model: str
    alias: AliasName
    version: int | None
    previous: int | None = None
    because: str = ""
    actor: str = ""

    @property
    def key(self) -> str:
        """``model:alias``."""
        return f"{self.model}:{self.alias}"

    @property
    def subject(self) -> str:
        """The model's name."""
        return self.model
