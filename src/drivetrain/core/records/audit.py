"""Who did what, when, to what: entries that each hold the digest of the one before."""

from __future__ import annotations

import hashlib

import msgspec

from drivetrain.core.records.base import Record


class AuditEntry(Record, frozen=True, kw_only=True):
    """One entry of the audit: a record that was committed, or personal data that was read.

    Entries are numbered from 1 without a gap. Whoever changes, removes or slips in one breaks the chain of digests from
    there on; who changes the record it is of, without the catalog, is found by ``content``.

    Attributes:
        number: Its place.
        user: Whom the operating system says it was, and where.
        actor: Whom the record names: a person, the loop.
        what: What was done, in a word: ``promote``, ``ingest``, ``read``.
        about: To what: a model, a table, an endpoint.
        of: Ref of the record.
        content: SHA-256 of the record's bytes as they were committed, hex.
        before: Digest of the entry before; empty for the first.
        digest: SHA-256 of all of the above, hex.
    """

    kind = "audit"

    number: int
    user: str
    actor: str
    what: str
    about: str
    of: str
    content: str
    before: str
    digest: str = ""

    @property
    def key(self) -> str:
        """The number; text order is time order."""
        return f"{self.number:012d}"

    @property
    def subject(self) -> str:
        """What it was done to."""
        return self.about

    def sealed(self) -> AuditEntry:
        """The same with its digest."""
        return msgspec.structs.replace(self, digest=self.computed())

    def computed(self) -> str:
        """The digest that it must have."""
        fields = [
            self.number,
            self.at,
            self.user,
            self.actor,
            self.what,
            self.about,
            self.of,
            self.content,
            self.before,
        ]
        return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


class Access(Record, frozen=True, kw_only=True):
    """Personal data that was read through drivetrain.

    Attributes:
        id: Its own.
        what: By what: ``training_set``, ``trace``, ``quarantine``.
        about: Of what: a table, an endpoint.
        columns: The columns classed personal, sensitive or secret that were among it.
        rows: How many rows.
        actor: Who asked.
    """

    kind = "access"

    id: str
    what: str
    about: str
    columns: tuple[str, ...] = ()
    rows: int = 0
    actor: str = "person"

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    @property
    def subject(self) -> str:
        """What was read."""
        return self.about
