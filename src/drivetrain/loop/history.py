"""How a table came to be: what each batch brought, and how its columns have moved from version to version."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from drivetrain.core.clock import iso, now
from drivetrain.core.errors import UnknownName
from drivetrain.core.notebook import shown
from drivetrain.core.records import TableVersion
from drivetrain.data.judge import delivered_by, stale
from drivetrain.data.ledger import Entry, entry_at
from drivetrain.data.profile import TableProfile
from drivetrain.data.shape import shape_change
from drivetrain.data.veil import Veil
from drivetrain.loop.data import veil_of_table
from drivetrain.loop.definitions import Definitions

LIMIT = 30
"""Versions told of."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One version, and the batch that made it.

    Attributes:
        version: Its number.
        at: When it was made, ISO 8601.
        batch: The batch's number, as its rows in quarantine have it; none of what no batch made.
        origin: Where the batch came from.
        delivered: How many rows it brought, bad ones and known ones included.
        added: How many rows it added.
        quarantined: How many of them were set aside.
        rows: How many rows the table then had.
        reasons: What was counted: why rows were set aside, left out or changed.
        shape: What was different about its columns, as a diff.
        profiled: Whether it is on record how its columns lie.
    """

    version: int
    at: str
    batch: int | None
    origin: str
    delivered: int
    added: int
    quarantined: int
    rows: int
    reasons: dict[str, int] = {}
    shape: tuple[str, ...] = ()
    profiled: bool = False


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One column over the versions that were profiled, oldest first.

    Attributes:
        column: Its name.
        nulls: Share of rows without a value; none where the column was not there.
        means: Of numbers; none where there is none, or it must not be shown.
    """

    column: str
    nulls: tuple[float | None, ...]
    means: tuple[float | None, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True):
    """How a table came to be.

    Attributes:
        table: The table.
        versions: The newest, newest first.
        total: How many versions there are.
        profiled: Those of ``courses``, oldest first.
        courses: Each column over them.
        newest: The newest event, or arrival where that is newer, ISO 8601; none where rows have no time.
        freshness: How old it may be, as the contract says.
        stale: What is wrong with its age; empty where nothing is.
    """

    table: str
    versions: tuple[Made, ...]
    total: int
    profiled: tuple[int, ...] = ()
    courses: tuple[Course, ...] = ()
    newest: str | None = None
    freshness: str | None = None
    stale: str = ""

    _repr_html_ = shown


def history(project: Definitions, table: str, *, limit: int = LIMIT) -> History:
    """See :meth:`Project.history`."""
    catalog = project.store.catalog
    found = catalog.find(TableVersion, table)
    if not found:
        names = ", ".join(project.store.tables.names())
        raise UnknownName(f"there is no table {table!r}", expected=f"one of {names}" if names else None)
    found = sorted(found, key=lambda made: -made.version)
    veil = veil_of_table(project, table, found)
    profiles = sorted(catalog.find(TableProfile, table, limit=limit), key=lambda one: one.version)
    entries = [_entry(project, table, made) for made in found[: limit + 1]]
    known = {one.version for one in profiles}
    versions = [
        Made(
            version=made.version,
            at=iso(made.at),
            batch=entry.number or None,
            origin=entry.origin,
            delivered=delivered_by(made),
            added=made.added,
            quarantined=made.quarantined,
            rows=made.rows,
            reasons=veil.reasons(made.reasons),
            shape=tuple(shape_change(_shape_before(entries[place + 1 :]), entry.shape).lines()),
            profiled=made.version in known,
        )
        for place, (made, entry) in enumerate(zip(found[:limit], entries, strict=False))
    ]
    contract = project.sources[table].contract if table in project.sources else None
    times = [at for at in (found[0].last_event, found[0].last_available) if at is not None]
    old = stale(contract, found[0], now()) if contract else None
    return History(
        table=table,
        versions=tuple(versions),
        total=len(found),
        profiled=tuple(one.version for one in profiles),
        courses=_courses(profiles, veil),
        newest=iso(max(times)) if times else None,
        freshness=contract.freshness if contract else None,
        stale=str(old) if old else "",
    )


def _entry(project: Definitions, table: str, made: TableVersion) -> Entry:
    tables = project.store.tables
    return entry_at(tables, table, made.version) if tables.has(table, made.version) else Entry()


def _shape_before(entries: Sequence[Entry]) -> dict[str, str]:
    return next((entry.shape for entry in entries if entry.shape), {})


def _courses(profiles: Sequence[TableProfile], veil: Veil) -> tuple[Course, ...]:
    if not profiles:
        return ()
    by_version = [{column.name: column for column in one.columns} for one in profiles]
    courses = []
    for name in (column.name for column in profiles[-1].columns):
        parts = [columns.get(name) for columns in by_version]
        means = () if veil.hides(name) else tuple(part.mean if part else None for part in parts)
        nulls = tuple(part.nulls / part.rows if part and part.rows else None for part in parts)
        courses.append(Course(column=name, nulls=nulls, means=means))
    return tuple(courses)
