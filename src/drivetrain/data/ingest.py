"""Raw rows into a table, exactly once: killed at any instant, the next call carries on where the last commit was.

A batch makes at most two commits: its refused rows go to quarantine, then its rows, the reader's cursor and all counts
go to the table in one. Only the second decides. The catalog is told afterwards, and catches up if that was cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros, micros_of
from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest, digest_bytes
from drivetrain.core.progress import Progress
from drivetrain.core.records import ColumnType, TableVersion
from drivetrain.data import ledger, quarantine
from drivetrain.data.arrival import AVAILABLE_AT, EVENT_TIME, RESERVED, with_sequence, with_times
from drivetrain.data.checks import missing_column
from drivetrain.data.duplicates import changed
from drivetrain.data.forgotten import LEFT_OUT, Forgotten
from drivetrain.data.ledger import APPLICATION, Entry
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.data.quarantine import Refused
from drivetrain.data.reader import Batch
from drivetrain.data.screen import Lookups, Screened, screen
from drivetrain.data.source import Source
from drivetrain.data.treating import treated
from drivetrain.store.bundle import Store

EXPIRED = "older than its source keeps rows: left out"


class _Overtaken(Exception):
    """Another process committed a batch of this number first."""


@dataclass(frozen=True)
class _Work:
    """What every batch of one call shares."""

    store: Store
    source: Source
    lookups: Lookups
    uses: Mapping[str, int]
    now: Micros


def ingest(
    store: Store, source: Source, *, folder: Path, now: Micros, progress: Progress, sources: Mapping[str, Source]
) -> TableVersion:
    """Takes in what a source has that its table has not.

    Args:
        store: Where the table is.
        source: What to take in.
        folder: The project folder.
        now: The present moment, for the records.
        progress: Told of every batch.
        sources: Every source of the project, by name.

    Returns:
        The table's present version: a new one if a row was new or different, else the one that was there.

    Raises:
        SourceError: The source can't be read, lacks a column, or has never had a row.
        ContractBreach: The contract refuses a batch. In both cases batches before it stand, and nothing of it does.
        ProjectError: The source looks rows up in a table that no source makes.
        StoreError: The table can't be written; it is as it was.
    """
    uses = _versions(store, source, sources)
    work = _Work(store, source, _lookups(store, uses), uses, now)
    task = f"ingest {source.name}"
    progress.start(task)
    while True:
        try:
            made, taken = _take_in(work, folder, progress)
            break
        except _Overtaken:
            progress.advance(task, 0, "another process is taking in the same source: reading on from its last batch")
    progress.finish(task, f"{taken:,} rows")
    if made is None:
        raise SourceError(
            f"source {source.name!r} has no rows yet", found=source.reader.words, do="Deliver rows, then run again"
        )
    return made


def pending(store: Store, source: Source, folder: Path) -> str | None:
    """What :func:`ingest` would take in, in words; none if there is nothing. Cheap enough for a plan.

    Raises:
        SourceError: The source is not there.
    """
    present = ledger.last_entry(store.tables, source.name)
    if present is None:
        return f"never taken in: {source.reader.pending(folder, '') or source.reader.words}"
    if ledger.begins_anew(source, present[0]):
        return "its definition changed: everything is read again"
    return source.reader.pending(folder, present[0].cursor)


def _take_in(work: _Work, folder: Path, progress: Progress) -> tuple[TableVersion | None, int]:
    """Commits batch after batch; the table's version after the last, if there is a table, and rows read."""
    store, source = work.store, work.source
    present = ledger.last_entry(store.tables, source.name)
    entry, made, taken = Entry(), None, 0
    if present:
        entry = present[0]
        quarantine.settle(store.tables, source.name, entry)
        made = ledger.caught_up(store.tables, store.catalog, source.name, present[1])
    anew = present is None or ledger.begins_anew(source, entry)
    for batch in source.reader.read(folder, "" if anew else entry.cursor):
        empty = not batch.rows.height and not batch.unreadable and not source.contract.min_rows
        if not empty or not anew:
            entry, made = _take_batch(work, entry, batch, anew=anew, empty=empty)
            anew = False
        taken += batch.rows.height
        progress.advance(f"ingest {source.name}", batch.rows.height, batch.origin)
    return made, taken


def _take_batch(work: _Work, entry: Entry, batch: Batch, *, anew: bool, empty: bool) -> tuple[Entry, TableVersion]:
    store, source = work.store, work.source
    # A table without rows pins no types: what its undeclared columns are is decided by the first row.
    whole = anew or entry.rows == 0
    schema = {} if whole else store.tables.schema(source.name)
    if empty:
        found = Screened(store.tables.read(source.name).clear(), [], {})
        rows, updates = found.rows, 0
    else:
        known = {name: dtype for name, dtype in schema.items() if name not in RESERVED}
        found = screen(batch, source, work.lookups, known)
        found, timed = _remembered(work, found)
        fresh, updates = (timed, 0) if whole else changed(timed, store.tables, source.name, source.key)
        rows = with_sequence(fresh, entry.sequence)
    if not anew:
        found = _without_known(
            found, quarantine.unseen(store.tables, source.name, batch, entry.number + 1, found.refused)
        )
    entry_made = _entry_after(work, entry, batch, found, _Change(rows, updates, anew=anew, whole=whole))
    quarantine.keep(store.tables, source.name, entry_made, found.refused, work.now)
    version = _commit(store, source, entry_made, rows, whole=whole and not empty, merge=updates > 0)
    if ledger.entry_at(store.tables, source.name, version).batch != entry_made.batch:
        raise _Overtaken
    quarantine.settle(store.tables, source.name, entry_made)
    columns = ledger.schema_of(rows) if whole else tuple(ColumnType(name, str(kind)) for name, kind in schema.items())
    made = ledger.table_version(source.name, version, entry_made, columns)
    ledger.keep(store.catalog, made, work.uses)
    return entry_made, made


def _remembered(work: _Work, found: Screened) -> tuple[Screened, pl.DataFrame]:
    """The batch with its times and as it is to be written, without what is of a subject that was forgotten."""
    timed = treated(with_times(found.rows, work.source), work.source.contract, work.lookups.keys)
    if work.source.retain and work.source.time:
        old = pl.col(EVENT_TIME).dt.epoch("us") < work.now - work.source.retain
        timed, expired = timed.filter(~old), timed.select(old.sum()).item()
        found = replace(found, reasons=found.reasons | ({EXPIRED: expired} if expired else {}))
    forgotten = Forgotten(work.store.catalog, work.store.folder, work.source.name)
    if not forgotten:
        return found, timed
    rows, refused = forgotten.without(timed), forgotten.without_refused(found.refused)
    gone = timed.height - rows.height + len(found.refused) - len(refused)
    reasons = found.reasons | ({LEFT_OUT: gone} if gone else {})
    return replace(found, refused=refused, reasons=reasons), rows


def _without_known(found: Screened, unseen: list[Refused]) -> Screened:
    """The batch without the bad rows that were refused before, which are counted by that alone."""
    left_out = len(found.refused) - len(unseen)
    if not left_out:
        return found
    reasons = Counter(found.reasons)
    reasons.subtract(rule for row in found.refused for rule in row.rules)
    reasons.update(rule for row in unseen for rule in row.rules)
    reasons["refused before and the same again: left out"] = left_out
    return replace(found, refused=unseen, reasons=dict(+reasons))


def _commit(store: Store, source: Source, entry: Entry, rows: pl.DataFrame, *, whole: bool, merge: bool) -> int:
    transaction = (APPLICATION, entry.number)
    if whole:
        return store.tables.replace(source.name, rows, transaction=transaction, note=entry.note)
    if merge:
        return store.tables.merge(source.name, rows, source.key, transaction=transaction, note=entry.note)
    return store.tables.append(source.name, rows, transaction=transaction, note=entry.note)


@dataclass(frozen=True)
class _Change:
    """What a batch does to its table: rows to write, how many of them take the place of others."""

    rows: pl.DataFrame
    updates: int
    anew: bool
    whole: bool

    def digest(self, before: Digest) -> Digest:
        """The table's digest after it."""
        if not self.rows.height and not self.whole:
            return before
        content = self.rows.rechunk().write_ipc(None, compression="uncompressed").getvalue()
        return digest(["" if self.whole else before, self.updates > 0, digest_bytes(content)])


def _entry_after(work: _Work, before: Entry, batch: Batch, found: Screened, change: _Change) -> Entry:
    number = before.number + 1
    rows = change.rows
    timed = work.source.time is not None and rows.height > 0
    events = (_micros(rows[EVENT_TIME].min()), _micros(rows[EVENT_TIME].max())) if timed else (None, None)
    known = _micros(rows[AVAILABLE_AT].max()) if timed else None
    old = Entry() if change.whole else before
    return Entry(
        definition=work.source.digest,
        number=number,
        first=number if change.anew else before.first,
        batch=quarantine.batch_digest(number, batch.cursor, found.refused),
        origin=batch.origin,
        again=batch.again,
        cursor=batch.cursor,
        digest=change.digest(before.digest),
        sequence=before.sequence + rows.height,
        rows=old.rows + rows.height - change.updates,
        added=rows.height,
        quarantined=len(found.refused),
        reasons=found.reasons,
        first_event=min((at for at in (old.first_event, events[0]) if at is not None), default=None),
        last_event=max((at for at in (old.last_event, events[1]) if at is not None), default=None),
        last_available=max((at for at in (old.last_available, known) if at is not None), default=None),
        uses=dict(work.uses),
        at=work.now,
    )


def _versions(store: Store, source: Source, sources: Mapping[str, Source]) -> dict[str, int]:
    """The versions of the tables that this source's rows are looked up in."""
    found: dict[str, int] = {}
    for name in source.needs:
        if name not in sources:
            raise ProjectError(
                f"source {source.name!r} looks rows up in a table that no source makes",
                found=repr(name),
                expected=f"one of {', '.join(sources)}",
            )
        version = store.tables.version(name)
        if version is None:
            raise SourceError(
                f"source {source.name!r} looks rows up in {name!r}, which has no rows yet", do=f"Take {name} in first"
            )
        found[name] = version
    return found


def _lookups(store: Store, uses: Mapping[str, int]) -> Lookups:
    @cache
    def table(name: str) -> pl.DataFrame:
        return store.tables.read(name, uses[name]).drop(RESERVED)

    @cache
    def values(name: str, column: str) -> pl.Series:
        rows = store.tables.scan(name, uses[name])
        there = rows.collect_schema().names()
        if column not in there:
            raise missing_column([column], there, f"table {name}")
        return rows.select(column).unique().collect().to_series()

    return Lookups(table, values, KeyRing(store.catalog, store.folder))


def _micros(moment: object) -> Micros | None:
    return micros_of(moment) if isinstance(moment, datetime) else None
