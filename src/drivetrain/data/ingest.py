"""Raw rows into a table, exactly once: killed at any instant, the next call carries on where the last commit was.

A batch makes at most two commits: its refused rows go to quarantine, then its rows, the reader's cursor and all counts
go to the table in one. Only the second decides. The catalog is told afterwards, and catches up if that was cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros, micros_of
from drivetrain.core.errors import ContractBreach, SourceError
from drivetrain.core.hashing import Digest, digest, digest_bytes
from drivetrain.core.meanwhile import meanwhile
from drivetrain.core.progress import Progress
from drivetrain.core.records import ColumnType, TableVersion
from drivetrain.data import ledger, quarantine
from drivetrain.data.arrival import AVAILABLE_AT, EVENT_TIME, RESERVED, with_sequence, with_times
from drivetrain.data.batch_history import history, profiled
from drivetrain.data.contract import Contract
from drivetrain.data.duplicates import changed
from drivetrain.data.forgotten import LEFT_OUT, Forgotten
from drivetrain.data.judge import Failing, judge, refuse, singled_out, stale
from drivetrain.data.ledger import APPLICATION, Entry
from drivetrain.data.lookups import lookups, versions
from drivetrain.data.profile import profile, profile_of
from drivetrain.data.quarantine import Refused
from drivetrain.data.reader import Batch
from drivetrain.data.resume import Retry, resumed
from drivetrain.data.screen import Before, Lookups, Screened, screen
from drivetrain.data.source import Source
from drivetrain.data.standing import Standing
from drivetrain.data.tombstones import there
from drivetrain.data.treating import as_named, treated
from drivetrain.data.veil import veil_of
from drivetrain.store.bundle import Store

EXPIRED = "older than its source keeps rows: left out"
KNOWN = "in the table already, and the same: left out"
REPLACED = "took the place of a row with the same key"


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
    retry: Retry


def ingest(
    store: Store,
    source: Source,
    *,
    folder: Path,
    now: Micros,
    progress: Progress,
    sources: Mapping[str, Source],
    retry: Retry | None = None,
) -> TableVersion:
    """Takes in what a source has that its table has not.

    Args:
        store: Where the table is.
        source: What to take in.
        folder: The project folder.
        now: The present moment, for the records.
        progress: Told of every batch.
        sources: Every source of the project, by name.
        retry: How patiently a place that is away is asked again.

    Returns:
        The table's present version: a new one if a row was new or different, else the one that was there.

    Raises:
        SourceError: The source can't be read, lacks a column, or has never had a row.
        ContractBreach: The contract refuses a batch. In both cases batches before it stand, and nothing of it does.
        ProjectError: The source looks rows up in a table that no source makes.
        StoreError: The table can't be written; it is as it was.
    """
    uses = versions(store, source, sources)
    work = _Work(store, source, lookups(store, uses), uses, now, retry or Retry())
    task = f"ingest {source.name}"
    progress.start(task)
    while True:
        try:
            made, taken = _take_in(work, folder, progress)
            break
        except _Overtaken:
            progress.advance(task, 0, "another process is taking in the same source: reading on from its last batch")
    progress.finish(task, f"{taken:,} rows")
    if made is not None:
        profile(store, source.name, made.version, at=now, veil=veil_of(source))
        old = stale(source.contract, made, now)
        if old and source.contract.on_breach != "warn":
            raise ContractBreach(
                f"source {source.name!r} is not fresh: {old}",
                do="Look whether the source still delivers; rows are kept",
            )
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


@dataclass(frozen=True)
class Returned:
    """What bringing rows back came to: the table's version afterwards, and the entry of each batch."""

    version: int
    entries: Sequence[Entry]


def bring_back(
    store: Store,
    source: Source,
    batches: Callable[[Entry], Iterable[Batch]],
    *,
    now: Micros,
    sources: Mapping[str, Source],
) -> Returned:
    """Takes rows of the quarantine in as batches of their own; the source's cursor stays where it is.

    Args:
        store: Where the table is; there must be one.
        source: Whose rows.
        batches: The rows, given the table's last entry. Asked again where another process came first.
        now: The present moment, for the records.
        sources: Every source of the project, by name.
    """
    uses = versions(store, source, sources)
    work = _Work(store, source, lookups(store, uses), uses, now, Retry())
    entries: list[Entry] = []
    while True:
        present = ledger.last_entry(store.tables, source.name)
        if present is None:
            raise SourceError(f"source {source.name!r} has no rows yet")
        entry, version = present
        quarantine.settle(store.tables, source.name, entry)
        ledger.caught_up(store.tables, store.catalog, source.name, version)
        try:
            for batch in batches(entry):
                entry, made = _take_batch(work, entry, batch, anew=False, empty=False)
                entries.append(entry)
                version = version if made is None else made.version
        except _Overtaken:
            continue
        profile(store, source.name, version, at=now, veil=veil_of(source))
        return Returned(version, entries)


def _take_in(work: _Work, folder: Path, progress: Progress) -> tuple[TableVersion | None, int]:
    """Commits batch after batch; the table's version after the last, if there is a table, and rows read."""
    store, source = work.store, work.source
    present = ledger.last_entry(store.tables, source.name)
    entry, made, taken = Entry(), None, 0
    if present:
        entry = present[0]
        quarantine.settle(store.tables, source.name, entry)
        quarantine.withdraw_overtaken(store.tables, source.name, present[1])
        made = ledger.caught_up(store.tables, store.catalog, source.name, present[1])
    anew = present is None or ledger.begins_anew(source, entry)
    task = f"ingest {source.name}"
    cursor = "" if anew else entry.cursor
    tell = partial(progress.advance, task, 0)
    for batch in resumed(source.reader, folder, cursor, retry=work.retry, tell=tell):
        empty = not batch.rows.height and not batch.unreadable and not source.contract.min_rows
        if not empty or not anew:
            entry, fresh = _take_batch(work, entry, batch, anew=anew, empty=empty)
            made = fresh or made
            anew = False
        taken += batch.rows.height
        progress.advance(task, batch.rows.height, batch.origin)
    return made, taken


def _take_batch(
    work: _Work, entry: Entry, batch: Batch, *, anew: bool, empty: bool
) -> tuple[Entry, TableVersion | None]:
    """Commits a batch; the table's entry and version after it, or none if it says nothing that was not known."""
    store, source = work.store, work.source
    # A table without rows pins no types: what its undeclared columns are is decided by the first row.
    whole = anew or entry.rows == 0
    schema = {} if whole else store.tables.schema(source.name)
    failing: list[Failing] = []
    if empty:
        found = Screened(store.tables.read(source.name).clear(), [], {}, entry.shape)
        rows, timed, updates = found.rows, found.rows, 0
    else:
        standing = Standing(
            source.key,
            None if whole else store.tables.scan(source.name),
            batch.again or bool(batch.readmitted),
            partial(as_named, contract=source.contract, keys=work.lookups.keys),
        )
        types = {name: dtype for name, dtype in schema.items() if name not in RESERVED}
        before = Before(types, standing, {} if anew else entry.shape)
        found, timed = _remembered(work, screen(batch, source, work.lookups, before))
        fresh, updates = (timed, 0) if whole else changed(timed, store.tables, source.name, source.key)
        if not batch.again:
            found = _with_counts(found, timed.height - fresh.height, updates)
        rows = with_sequence(fresh, entry.sequence)
    veil = veil_of(source)
    content = meanwhile(lambda: _content(rows))
    describe = partial(profile_of, rows.drop(RESERVED), veil)
    columns = cache(describe) if updates else meanwhile(describe)  # what took others' places is seldom described
    gone = found.gone if whole else there(found.gone, timed, store.tables, source.name)
    if not empty and not batch.readmitted:
        brought = None if batch.again or batch.more else batch.before + batch.rows.height + len(batch.unreadable)
        past = history(store, source, 0 if whole else entry.number - entry.first + 1)
        failing = judge(found.rows, source.contract, past, delivered=brought, columns=columns)
    if rows.height or gone.height:
        found, alone = _singled_out(source.contract, found, partial(standing.with_rows, timed), gone, rows)
        failing += alone
    if failing:
        found = _warned(source.contract, batch, found, failing)
    if gone.height and not whole:
        found = replace(found, reasons={**found.reasons, "deleted where it came from": gone.height})
    if not anew:
        found = _without_known(
            found, quarantine.unseen(store.tables, source.name, batch, entry.number + 1, found.refused)
        )
    if not (anew or rows.height or gone.height or found.refused) and batch.cursor == entry.cursor:
        return entry, None
    entry_made = _entry_after(work, entry, batch, found, _Change(rows, content, updates, gone, anew, whole))
    quarantine.keep(store.tables, source.name, entry_made, found.refused, work.now)
    merge = gone if updates or gone.height else None
    version = _commit(store, source, entry_made, rows, whole=whole and not empty, merge=merge)
    committed = ledger.entry_at(store.tables, source.name, version)
    if committed.batch != entry_made.batch:
        raise _Overtaken
    # Another process may have committed the very same batch first, and counted before its rows were in the table.
    entry_made = committed
    quarantine.settle(store.tables, source.name, entry_made)
    kept = rows.schema if whole else {**schema, **rows.schema}
    made = ledger.table_version(
        source.name, version, entry_made, tuple(ColumnType(name, str(kind)) for name, kind in kept.items())
    )
    profiles = profiled(store, made, columns, before=entry.digest, whole=whole, updates=updates, veil=veil)
    ledger.keep(store.catalog, made, work.uses, *profiles)
    return entry_made, made


def _warned(contract: Contract, batch: Batch, found: Screened, failing: Sequence[Failing]) -> Screened:
    """The batch with the rules that it fails as a whole among its counts, where the contract only warns.

    Raises:
        ContractBreach: It does not only warn.
    """
    if contract.on_breach == "warn":
        return replace(found, reasons=found.reasons | {rule.rule: found.rows.height for rule in failing})
    raise refuse(
        batch.origin,
        failing,
        rows=batch.rows.height + len(batch.unreadable),
        aside=len(found.refused),
        reasons=Counter(rule for row in found.refused for rule in row.rules),
        piece=batch.more or batch.before > 0,
    )


def _singled_out(
    contract: Contract,
    found: Screened,
    after: Callable[[pl.DataFrame, Sequence[str]], pl.DataFrame],
    gone: pl.DataFrame,
    fresh: pl.DataFrame,
) -> tuple[Screened, list[Failing]]:
    """Whether the table with a batch singles somebody out; counted only where that comes of deletions alone.

    A deletion is not held up by those whom it leaves alone.
    """
    broken = singled_out(contract, partial(after, gone))
    if not broken or not gone.height or (fresh.height and singled_out(contract, partial(after, gone.clear()))):
        return found, broken
    told = {f"{rule.rule}: too few, as others were deleted": gone.height for rule in broken}
    return replace(found, reasons=found.reasons | told), []


def _remembered(work: _Work, found: Screened) -> tuple[Screened, pl.DataFrame]:
    """The batch with its times and as it is to be written, without what is of a subject that was forgotten."""
    contract, keys = work.source.contract, work.lookups.keys
    forgotten = Forgotten(work.store.catalog, work.store.folder, work.source.name)
    raw = with_times(found.rows, work.source)
    known = forgotten.without(raw)  # by the key behind a pseudonym, whose own key may be another now
    timed = treated(known, contract, keys)
    found = replace(found, gone=as_named(found.gone, contract, keys))
    if work.source.retain and work.source.time:
        old = pl.col(EVENT_TIME).dt.epoch("us") < work.now - work.source.retain
        timed, expired = timed.filter(~old), timed.select(old.sum()).item()
        found = replace(found, reasons=found.reasons | ({EXPIRED: expired} if expired else {}))
    if not forgotten:
        return found, timed
    rows, refused = forgotten.without(timed), forgotten.without_refused(found.refused)
    gone = raw.height - known.height + timed.height - rows.height + len(found.refused) - len(refused)
    reasons = found.reasons | ({LEFT_OUT: gone} if gone else {})
    return replace(found, refused=refused, reasons=reasons), rows


def _with_counts(found: Screened, known: int, updates: int) -> Screened:
    """The batch with what is told of its rows whose keys the table has."""
    told = {KNOWN: known, REPLACED: updates}
    return replace(found, reasons=found.reasons | {reason: count for reason, count in told.items() if count})


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


def _commit(
    store: Store, source: Source, entry: Entry, rows: pl.DataFrame, *, whole: bool, merge: pl.DataFrame | None
) -> int:
    transaction = (APPLICATION, entry.number)
    if whole:
        return store.tables.replace(source.name, rows, transaction=transaction, note=entry.note)
    if merge is not None:
        return store.tables.merge(source.name, rows, source.key, gone=merge, transaction=transaction, note=entry.note)
    return store.tables.append(source.name, rows, transaction=transaction, note=entry.note)


@dataclass(frozen=True)
class _Change:
    """What a batch does to its table.

    Attributes:
        rows: Rows to write.
        content: Their digest.
        updates: How many of them take the place of others.
        gone: Keys to take out.
        anew: Whether the source is read from its beginning.
        whole: Whether the rows are all that the table will hold.
    """

    rows: pl.DataFrame
    content: Callable[[], Digest]
    updates: int
    gone: pl.DataFrame
    anew: bool
    whole: bool

    def digest(self, before: Digest) -> Digest:
        """The table's digest after it."""
        gone = 0 if self.whole else self.gone.height
        if not self.rows.height and not gone and not self.whole:
            return before
        out = [sorted(repr(key) for key in self.gone.iter_rows())] if gone else []
        return digest(["" if self.whole else before, self.updates > 0, self.content(), *out])


def _content(rows: pl.DataFrame) -> Digest:
    """Digest of rows as they are to be written."""
    return digest_bytes(rows.rechunk().write_ipc(None, compression="uncompressed").getbuffer())


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
        rows=old.rows + rows.height - change.updates - (0 if change.whole else change.gone.height),
        added=rows.height,
        quarantined=len(found.refused),
        reasons=found.reasons,
        refusals=dict(Counter(rule for row in found.refused for rule in row.rules)),
        first_event=min((at for at in (old.first_event, events[0]) if at is not None), default=None),
        last_event=max((at for at in (old.last_event, events[1]) if at is not None), default=None),
        last_available=max((at for at in (old.last_available, known) if at is not None), default=None),
        uses=dict(work.uses),
        at=work.now,
        delivered=batch.rows.height + len(batch.unreadable),
        shape=found.shape or before.shape,
        readmitted=batch.readmitted,
        readmissions=(0 if change.anew else before.readmissions) + bool(batch.readmitted),
    )


def _micros(moment: object) -> Micros | None:
    return micros_of(moment) if isinstance(moment, datetime) else None
