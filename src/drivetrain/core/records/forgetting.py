"""That a subject was forgotten: what was erased, and nothing by which to tell whom."""

from __future__ import annotations

from typing import Literal

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record


class Forgetting(Record, frozen=True, kw_only=True):
    """One request to be forgotten, from its first moment on.

    Attributes:
        id: Its own.
        entity: Name of the entity; what the subject was.
        digest: HMAC-SHA256 of entity and key under the project's own key, hex: who asks about a subject can tell
            whether it was forgotten, and who reads this can't tell whom.
        given: The same of the key as it was asked for, where tables hold a pseudonym of it, whose own key may change.
        sealed: Where that key is: ``env:NAME`` or ``file:path``.
        state: ``open`` until everything is done and proven.
        actor: Who asked.
        because: Why.
        places: Table → the columns that name the subject in it, in each way that they do: rows from before ``at`` that
            come again are left out.
        erased: Place → how many rows, or entries, were erased there.
        versions: Refs of the model versions that learned from the subject.
        left: Places that still hold the subject's name.
        finished: When it was done; none while it is open.
    """

    kind = "forgetting"

    id: str
    entity: str
    digest: str
    sealed: str
    given: str = ""
    state: Literal["open", "done"] = "open"
    actor: str = "person"
    because: str = ""
    places: dict[str, tuple[tuple[str, ...], ...]] = {}
    erased: dict[str, int] = {}
    versions: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    finished: Micros | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    @property
    def subject(self) -> str:
        """The entity's name."""
        return self.entity
