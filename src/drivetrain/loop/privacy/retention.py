"""Rows that are older than their source keeps them: taken out of tables and quarantine, with the files they were in."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of, iso
from drivetrain.data.arrival import EVENT_TIME
from drivetrain.data.quarantine import table_name as quarantine_of
from drivetrain.data.source import Source
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.privacy.rewriting import rewrite
from drivetrain.loop.runner import LEASE, holding

EXPIRED = "what it made was erased: its rows were kept as long as declared"
SLACK: Micros = DAY
"""How much longer a row may be there: to take some out costs as much as to take out many."""


def retain_tables(project: Definitions, now: Micros) -> dict[str, int]:
    """Takes out what is older than declared; table → how many rows. Cheap where nothing is.

    Raises:
        StoreError: Another process is running this project.
    """
    due = [source for source in project.sources.values() if source.retain and _is_due(project, source, now)]
    if not due:
        return {}
    gone: dict[str, int] = {}
    with holding(project.store.leases, LEASE):
        for source in due:
            before = now - (source.retain or 0)
            _take_out(project, source.name, EVENT_TIME, before, gone)
        rewrite(project, [name for name in gone if name in project.sources], now, EXPIRED)
        for source in due:
            quarantine = quarantine_of(source.name)
            _take_out(project, quarantine, "_ingested_at", now - (source.retain or 0), gone)
            if quarantine in gone:
                project.store.tables.purge(quarantine)
    return gone


def _is_due(project: Definitions, source: Source, now: Micros) -> bool:
    limit = now - (source.retain or 0) - SLACK
    names = [(source.name, EVENT_TIME)] if source.time else []
    names.append((quarantine_of(source.name), "_ingested_at"))
    return any(_oldest(project, name, column, limit) for name, column in names)


def _oldest(project: Definitions, table: str, column: str, limit: Micros) -> bool:
    tables = project.store.tables
    if tables.version(table) is None:
        return False
    return bool(tables.scan(table).select((pl.col(column) < datetime_of(limit)).any()).collect().item())


def _take_out(project: Definitions, table: str, column: str, before: Micros, gone: dict[str, int]) -> None:
    tables = project.store.tables
    if tables.version(table) is None:
        return
    old = pl.col(column) < datetime_of(before)
    count = int(tables.scan(table).filter(old).select(pl.len()).collect().item())
    if count:
        tables.delete(table, f"{column} < '{iso(before)}'")
        gone[table] = count
