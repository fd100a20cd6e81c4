"""The audit of a project: who did what, when, to what, and whether that account is whole."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from drivetrain.core.clock import iso, now
from drivetrain.core.ids import new_id
from drivetrain.core.records import Access, AuditEntry
from drivetrain.data.column import PRIVATE
from drivetrain.features.label import ENTITY
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.store.audit import Flaw, verify


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        number: Its place in the chain.
        at: When, ISO 8601.
        user: Whom the operating system says it was, and where.
        actor: Whom the record names.
        what: What was done.
        about: To what.
        of: Ref of the record.
        digest: Of the entry and, through the one before, of all before it.
    """

    number: int
    at: str
    user: str
    actor: str
    what: str
    about: str
    of: str
    digest: str


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, newest first, and what does not hold in the account.

    Attributes:
        entries: Those that were asked for.
        total: How many there are.
        found: How many of them are of what was asked for.
        head: Digest of the newest, to be noted elsewhere: who has it can tell that nothing was cut off.
        verified: Whether the chain was checked.
        flaws: What does not hold.
    """

    entries: tuple[Told, ...]
    total: int
    head: str
    found: int = 0
    verified: bool = False
    flaws: tuple[Flaw, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.flaws


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are asked for.

    Attributes:
        about: What it was done to.
        what: What was done: ``promote``; ``read`` for every read.
        who: Whom the operating system says it was (with or without ``@host``), or whom the record names.
    """

    about: str | None = None
    what: str | None = None
    who: str | None = None

    def names(self, entry: AuditEntry) -> bool:
        """Whether an entry is among them."""
        return (
            self.about in {None, entry.about}
            and self.what in {None, entry.what, entry.what.partition(" ")[0]}
            and self.who in {None, entry.actor, entry.user, entry.user.partition("@")[0]}
        )


def audit(
    project: Definitions, sought: Sought, *, skip: int = 0, limit: int | None, check: bool, head: str | None
) -> Account:
    """See :meth:`Project.audit`."""
    catalog = project.store.catalog
    chain = sorted(catalog.find(AuditEntry), key=lambda entry: entry.number)
    flaws = verify(catalog, chain) if check or head else []
    if head and head not in {entry.digest for entry in chain}:
        flaws.append(Flaw(len(chain) + 1, "the entry with the digest that was noted is gone: the chain was cut off"))
    found = [entry for entry in reversed(chain) if sought.names(entry)]
    return Account(
        entries=tuple(_told(entry) for entry in found[skip:][:limit]),
        total=len(chain),
        found=len(found),
        head=chain[-1].digest if chain else "",
        verified=check or head is not None,
        flaws=tuple(flaws),
    )


def _told(entry: AuditEntry) -> Told:
    return Told(
        number=entry.number,
        at=iso(entry.at),
        user=entry.user,
        actor=entry.actor,
        what=entry.what,
        about=entry.about,
        of=entry.of,
        digest=entry.digest,
    )


def note_read(project: Definitions, what: str, about: str, columns: Iterable[str], rows: int) -> None:
    """Puts it on record that somebody read personal data; nothing where there was none among it."""
    told = tuple(sorted(set(columns)))
    if told and rows:
        access = Access(at=now(), id=new_id(), what=what, about=about, columns=told, rows=rows)
        project.store.catalog.commit(access)


def personal_columns(project: Definitions, model: Model, names: Iterable[str]) -> list[str]:
    """Of the columns of a model's training set or requests, those classed personal, sensitive or secret."""
    source = project.sources[model.label.source.name]
    withheld = {name for name, column in source.contract.columns.items() if column.privacy in PRIVATE}
    if withheld & {model.label.entity, *(source.key if model.label.entity is None else ())}:
        withheld.add(ENTITY)
    withheld |= classes_of(model).personal
    return [name for name in names if name in withheld]
