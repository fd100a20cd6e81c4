"""The catalog: records and the links between them, in SQLite or PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from drivetrain.core.clock import Micros
from drivetrain.core.errors import Conflict, StoreError
from drivetrain.core.records import AuditEntry, Link, Record
from drivetrain.store.audit import entries, is_audited
from drivetrain.store.database import Database
from drivetrain.store.schema import links as _links
from drivetrain.store.schema import records as _records
from drivetrain.store.schema import revision as _revision

R = TypeVar("R", bound=Record)

_encode = msgspec.msgpack.Encoder().encode
_making = threading.Lock()
"""Held while a decoder is made: msgspec 0.22 crashes where two threads are the first to make one for a type."""

_BUMP = update(_revision).where(_revision.c.name == "catalog").values(value=_revision.c.value + 1)
_NOW_AT = select(_revision.c.value).where(_revision.c.name == "catalog")
_IS_ONE = (_records.c.kind == bindparam("kind_")) & (_records.c.key == bindparam("key_"))
_LAST_ENTRY = select(_records.c.body).where(_records.c.kind == AuditEntry.kind).order_by(_records.c.key.desc()).limit(1)
_ERASE = delete(_records).where(_IS_ONE)
_BODY = select(_records.c.body).where(_IS_ONE)
_REVISION_OF = select(_records.c.revision).where(_IS_ONE)
_IN_ORDER = (_links.c.revision, _links.c.place)
_LINKS = select(_links.c.source, _links.c.target, _links.c.role).order_by(*_IN_ORDER)


class SqlCatalog:
    """A :class:`~drivetrain.core.protocols.Catalog` in a database that :mod:`~drivetrain.store.migrate` made ready.

    Commits take turns (in SQLite by its write lock, in PostgreSQL by the row of the revision counter), so a revision
    names one state of the catalog, and what ``expect`` found still holds when the records are written.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._decoders: dict[type[Record], msgspec.msgpack.Decoder[Any]] = {}
        dialect = postgresql if database.dialect == "postgresql" else sqlite
        upsert = dialect.insert(_records)
        fresh = {name: upsert.excluded[name] for name in ("subject", "at", "revision", "place", "body")}
        self._keep_records = upsert.on_conflict_do_update(index_elements=["kind", "key"], set_=fresh)
        self._keep_links = dialect.insert(_links).on_conflict_do_nothing()

    def commit(self, *records: Record, links: Sequence[Link] = (), expect: Mapping[str, int] | None = None) -> int:
        """Keeps records and links, all or none; see :meth:`drivetrain.core.protocols.Catalog.commit`."""
        with self._database.writing() as connection:
            connection.execute(_BUMP)
            revision: int = connection.execute(_NOW_AT).scalar_one()
            for ref, wanted in (expect or {}).items():
                found = _revision_of(connection, ref)
                if found != wanted:
                    raise Conflict(
                        f"{ref} was changed by somebody else",
                        found=f"revision {found}",
                        expected=f"revision {wanted}",
                        do="Read it again and decide anew",
                    )
            if records:
                rows = [_row(record, revision, place) for place, record in enumerate(_last_of_each(records))]
                if any(map(is_audited, records)):
                    bodies = zip(_last_of_each(records), (row["body"] for row in rows), strict=True)
                    told = entries(bodies, self._last_entry(connection))
                    rows += [_row(entry, revision, len(rows) + place) for place, entry in enumerate(told)]
                connection.execute(self._keep_records, rows)
            if links:
                connection.execute(
                    self._keep_links,
                    [
                        {
                            "source": link.source,
                            "target": link.target,
                            "role": link.role,
                            "revision": revision,
                            "place": at,
                        }
                        for at, link in enumerate(dict.fromkeys(links))
                    ],
                )
        return revision

    def body(self, ref: str) -> bytes | None:
        """A record's bytes as they were committed; none where there is no such record."""
        kind, _, key = ref.partition(":")
        with self._database.reading() as connection:
            return connection.execute(_BODY, {"kind_": kind, "key_": key}).scalar()

    def erase(self, *refs: str) -> int:
        """Removes records, without a trace in the database's file; how many there were."""
        if not refs:
            return 0
        with self._database.writing() as connection:
            connection.execute(_BUMP)
            parted = (ref.partition(":") for ref in refs)
            gone = sum(connection.execute(_ERASE, {"kind_": kind, "key_": key}).rowcount for kind, _, key in parted)
        self._database.scrub()
        return gone

    def get(self, kind: type[R], key: str) -> R | None:
        """The record of that kind and key, if there is one."""
        with self._database.reading() as connection:
            body = connection.execute(_BODY, {"kind_": kind.kind, "key_": key}).scalar()
        return None if body is None else self._decode(kind, body)

    def find(
        self, kind: type[R], subject: str | None = None, *, since: Micros | None = None, limit: int | None = None
    ) -> list[R]:
        """Records of a kind, newest first (by ``at``, then by commit); ``since`` is inclusive."""
        given = {"subject_": subject, "since_": since, "limit_": limit}
        asked = {name: value for name, value in given.items() if value is not None}
        with self._database.reading() as connection:
            bodies = connection.execute(_find_query(*asked), {"kind_": kind.kind, **asked}).scalars().all()
        return [self._decode(kind, body) for body in bodies]

    def record_revision(self, ref: str) -> int:
        """Revision at which ``kind:key`` was last committed; 0 if never."""
        with self._database.reading() as connection:
            return _revision_of(connection, ref)

    def revision(self) -> int:
        """How many commits there were, by anyone."""
        with self._database.reading() as connection:
            return int(connection.execute(_NOW_AT).scalar_one())

    def links(self, *, source: str | None = None, target: str | None = None) -> list[Link]:
        """Links out of ``source``, or into ``target``, in the order they were kept."""
        query = _LINKS
        if source is not None:
            query = query.where(_links.c.source == source)
        if target is not None:
            query = query.where(_links.c.target == target)
        with self._database.reading() as connection:
            return [Link(*row) for row in connection.execute(query)]

    def close(self) -> None:
        """Lets go of connections."""
        self._database.close()

    def _last_entry(self, connection: Connection) -> AuditEntry | None:
        body = connection.execute(_LAST_ENTRY).scalar()
        return None if body is None else self._decode(AuditEntry, body)

    def _decode(self, kind: type[R], body: bytes) -> R:
        decoder = self._decoders.get(kind)
        if decoder is None:
            with _making:
                decoder = self._decoders[kind] = msgspec.msgpack.Decoder(kind)
        try:
            record: R = decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise StoreError(
                f"a {kind.kind} record in the catalog {self._database.name} can't be read: {error}",
                do="Use the drivetrain release that wrote it, or a newer one",
            ) from error
        return record


@cache
def _find_query(*asked: str) -> Select[bytes]:
    """One statement for each of the eight ways to ask: building one takes longer than running it."""
    query = select(_records.c.body).where(_records.c.kind == bindparam("kind_"))
    if "subject_" in asked:
        query = query.where(_records.c.subject == bindparam("subject_"))
    if "since_" in asked:
        query = query.where(_records.c.at >= bindparam("since_"))
    query = query.order_by(_records.c.at.desc(), _records.c.revision.desc(), _records.c.place.desc())
    return query.limit(bindparam("limit_")) if "limit_" in asked else query


def _revision_of(connection: Connection, ref: str) -> int:
    kind, _, key = ref.partition(":")
    return connection.execute(_REVISION_OF, {"kind_": kind, "key_": key}).scalar() or 0


def _last_of_each(records: Sequence[Record]) -> list[Record]:
    """Of records with one kind and key in one commit, the last."""
    return list({record.ref: record for record in records}.values())


def _row(record: Record, revision: int, place: int) -> dict[str, Any]:
    return {
        "kind": record.kind,
        "key": record.key,
        "subject": record.subject,
        "at": record.at,
        "revision": revision,
        "place": place,
        "body": _encode(record),
    }
