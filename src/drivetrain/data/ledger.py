"""How far a source has been taken in: kept in the note of the table's own commit, so that neither is ever ahead."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import UnknownName
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import ColumnType, Link, Record, TableVersion
from drivetrain.data.source import Source
from drivetrain.store.tables import Tables

APPLICATION = "ingest"
"""Under this name batches are numbered in a table's log; a number is committed once."""
_KEY = "ingest"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch left in a table; the table's last entry says how far its source has been read."""

    definition: Digest = ""
    """Digest of the source as it was declared."""
    number: int = 0
    """Batches since the table began, counted from 1."""
    first: int = 1
    """Number of the first batch under this definition."""
    batch: Digest = ""
    """Of this batch's number, cursor and refused rows; names its rows in quarantine."""
    origin: str = ""
    again: bool = False
    cursor: str = ""
    digest: Digest = ""
    """Of all rows: a chain over what each batch changed."""
    sequence: int = 0
    """Greatest ``_seq`` given out."""
    rows: int = 0
    added: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = {}
    refusals: dict[str, int] = {}
    """Of these, those that rows were refused for."""
    first_event: Micros | None = None
    last_event: Micros | None = None
    last_available: Micros | None = None
    uses: dict[str, int] = {}
    """Table → version that the batch looked things up in."""
    at: Micros = 0
    delivered: int = 0
    """Rows that the batch brought, bad ones and known ones included."""
    shape: dict[str, str] = {}
    """Column → type of the delivery, as it came."""
    readmitted: tuple[str, ...] = ()
    """Names of the rows that the batch brought back from quarantine."""
    readmissions: int = 0
    """Batches that brought rows back, this one included."""

    @property
    def note(self) -> dict[str, str]:
        """As a Delta commit's note."""
        return {_KEY: msgspec.json.encode(self).decode()}


_decode = msgspec.json.Decoder(Entry).decode  # made here: two threads that make it at once can crash msgspec 0.22


def last_entry(tables: Tables, name: str) -> tuple[Entry, int] | None:
    """A table's last entry and the version it was read at; none if the table is not there."""
    version = tables.version(name)
    if version is None:
        return None
    return entry_at(tables, name, version), version


def table_version(name: str, version: int, entry: Entry, columns: tuple[ColumnType, ...]) -> TableVersion:
    """A version of a table as the catalog keeps it."""
    return TableVersion(
        at=entry.at,
        table=name,
        version=version,
        digest=entry.digest,
        rows=entry.rows,
        added=entry.added,
        quarantined=entry.quarantined,
        reasons=entry.reasons,
        columns=columns,
        first_event=entry.first_event,
        last_event=entry.last_event,
        last_available=entry.last_available,
        cursor=entry.cursor,
        delivered=entry.delivered,
        refusals=entry.refusals,
    )


def keep(catalog: Catalog, made: TableVersion, uses: Mapping[str, int], *more: Record) -> None:
    """Tells the catalog of a version, which versions of other tables its rows were looked up in, and more of it."""
    catalog.commit(
        made, *more, links=[Link(f"table:{table}@{at}", made.ref, "lookup") for table, at in sorted(uses.items())]
    )


def erased(entry: Entry, rows: int, now: Micros) -> Entry:
    """The entry of a table from which rows were erased: other rows, the same place in the source."""
    return msgspec.structs.replace(
        entry,
        digest=digest([entry.digest, "erased", now]),
        rows=rows,
        added=0,
        quarantined=0,
        reasons={"erased on request": max(0, entry.rows - rows)},
        at=now,
    )


def entry_at(tables: Tables, name: str, version: int) -> Entry:
    """The entry that a version carries; an empty one where it was not made by ingestion."""
    return _entry(tables.note(name, version)) or Entry()


def caught_up(tables: Tables, catalog: Catalog, name: str, version: int) -> TableVersion:
    """The catalog's record of a table's present version.

    A process that was killed between its commit to the table and its word to the catalog leaves versions that the
    catalog does not know; it is told of them first.
    """
    missing: list[tuple[int, Entry]] = []
    at, known = version, catalog.get(TableVersion, f"{name}@{version}")
    while known is None and at >= 0 and (at == version or tables.has(name, at)):
        try:
            missing.append((at, entry_at(tables, name, at)))
        except UnknownName:
            break
        at -= 1
        known = catalog.get(TableVersion, f"{name}@{at}")
    for at, entry in reversed(missing):
        columns = tuple(ColumnType(column, str(dtype)) for column, dtype in tables.schema(name, at).items())
        known = table_version(name, at, entry, columns)
        keep(catalog, known, entry.uses)
    if known is None:
        raise UnknownName(f"table {name} has no version {version}")
    return known


def schema_of(frame: pl.DataFrame) -> tuple[ColumnType, ...]:
    """A frame's columns as records."""
    return tuple(ColumnType(column, str(dtype)) for column, dtype in frame.schema.items())


def begins_anew(source: Source, entry: Entry) -> bool:
    """Whether the source is declared otherwise than when its table was filled."""
    return entry.definition != source.digest


def _entry(note: Mapping[str, str]) -> Entry | None:
    return _decode(note[_KEY]) if _KEY in note else None
