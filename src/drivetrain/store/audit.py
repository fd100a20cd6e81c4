"""The audit's chain: made in the commit that it tells of, so that no two writers fork it and none can leave it out."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from drivetrain.core.protocols import Catalog
from drivetrain.core.records import (
    Access,
    AuditEntry,
    Decision,
    Forgetting,
    ModelVersion,
    PrivacyBudget,
    Record,
    Step,
    TableVersion,
    Token,
)

_WORDS: dict[type[Record], str] = {
    Access: "read",
    Forgetting: "forget",
    ModelVersion: "register",
    PrivacyBudget: "aggregate",
    Step: "run",
    TableVersion: "table",
    Token: "token",
}


def is_audited(record: Record) -> bool:
    """Whether a record's commit is told of: changes and reads, not what a step is about to do."""
    return isinstance(record, Decision) or (
        type(record) in _WORDS and not (isinstance(record, Step) and record.status == "running")
    )


def entries(records: Iterable[tuple[Record, bytes]], last: AuditEntry | None) -> list[AuditEntry]:
    """The entries that a commit adds to the chain.

    Args:
        records: What is committed, with its bytes.
        last: The newest entry there is.
    """
    made: list[AuditEntry] = []
    for record, body in records:
        if not is_audited(record):
            continue
        before = made[-1] if made else last
        entry = AuditEntry(
            at=record.at,
            number=1 if before is None else before.number + 1,
            user=user(),
            actor=str(getattr(record, "actor", "")),
            what=_what(record),
            about=record.subject,
            of=record.ref,
            content=hashlib.sha256(body).hexdigest(),
            before="" if before is None else before.digest,
        )
        made.append(entry.sealed())
    return made


def _what(record: Record) -> str:
    if isinstance(record, Decision):
        return record.what
    if isinstance(record, Access):
        return f"read {record.what}"
    if isinstance(record, Token):
        return "token revoke" if record.revoked else "token create"
    if isinstance(record, ModelVersion) and record.removed is not None:
        return "clean"
    return _WORDS[type(record)]


@cache
def user() -> str:
    """Whom the operating system says this process is, ``name@host``."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


class Flaw(msgspec.Struct, frozen=True):
    """What does not hold in a chain, and where."""

    number: int
    what: str


def verify(catalog: Catalog, chain: Sequence[AuditEntry]) -> list[Flaw]:
    """What does not hold in a catalog's chain; nothing where it is whole.

    A chain whose newest entries were cut off is whole as far as it goes: note its newest digest somewhere else.

    Args:
        catalog: Where the records are that it tells of.
        chain: Every entry, oldest first.
    """
    flaws: list[Flaw] = []
    before = ""
    for place, entry in enumerate(chain, 1):
        if entry.number != place:
            return [*flaws, Flaw(place, f"entry {place} is missing: the next there is has number {entry.number}")]
        if entry.digest != entry.computed():
            flaws.append(Flaw(place, f"entry {place} was changed: its digest is not that of what it says"))
        if entry.before != before:
            flaws.append(Flaw(place, f"entry {place} does not follow the one before: another stood there"))
        before = entry.digest
    newest = {entry.of: entry for entry in chain}
    for ref, entry in newest.items():
        body = catalog.body(ref)
        if body is None:
            flaws.append(Flaw(entry.number, f"{ref} is not in the catalog any more"))
        elif hashlib.sha256(body).hexdigest() != entry.content:
            flaws.append(Flaw(entry.number, f"{ref} is not what was committed"))
    return sorted(flaws, key=lambda flaw: flaw.number)
