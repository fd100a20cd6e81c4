"""One look at a table or a feature view: windows that have ended are assessed, and what they break is told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from drivetrain.core.clock import DAY, Micros, micros_of
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import ColumnType, DataReport, Decision, Link, TableVersion
from drivetrain.loop.alerting.keeping import Again, Keeping, keep
from drivetrain.loop.data import veil_of_table
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.watching.explaining import explained
from drivetrain.loop.watching.rows import read_rows, versions_of, with_refused
from drivetrain.loop.watching.sampling import sample, with_ages
from drivetrain.monitor.alerting.lifecycle import Rules
from drivetrain.monitor.tables.assess import alpha_of, assess
from drivetrain.monitor.tables.judging import judge_data, stands_data
from drivetrain.monitor.tables.spans import Spans, spans_of
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.monitor.tables.usual import Bounds

PATIENCE: Micros = DAY
"""How long a window waits, after it may be looked at, for a row newer than itself: until then its own may be on their
way."""
MOST_EMPTY = 3
"""Windows without rows in a row that are looked at; then the watch waits for rows."""
_RECENT = 60
_UNREAD = (DrivetrainError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What reading may raise; Polars panics at a file that was cut short."""


def look_at_data(project: Definitions, monitor: DataMonitor, now: Micros) -> list[Decision]:
    """Every window of a table or view that is due as of ``now``.

    Windows follow one another without a gap, from ``begin`` on, or from the last whole window that had rows at the
    first look.
    Done again after a kill, it repeats nothing that was committed. What can't be read is told of by an alert; later
    windows wait, and the next look tries again.

    Args:
        project: Whose.
        monitor: What is watched.
        now: The moment to look as of.
    """
    decisions: list[Decision] = []
    last = None
    while (since := next_window(project, monitor, now)) not in {None, last}:
        decisions += _look(project, monitor, since, now)
        last = since
    return decisions


def next_window(project: Definitions, monitor: DataMonitor, now: Micros) -> Micros | None:
    """Start of the first window that was not assessed and is due; none if there is none.

    A window that was assessed while the clock was ahead of ``now`` is due again once it has ended; one that could not
    be read is due at once.
    """
    length, wait = monitor.window_us, monitor.wait_us
    reports = project.store.catalog.find(DataReport, monitor.watched, limit=_RECENT)
    past = [one for one in reports if one.looked <= now]
    newest = _newest(project, monitor.table)
    if past and past[0].unread:
        return past[0].since
    if past:
        since = past[0].until
    elif monitor.begin is not None:
        since = micros_of(monitor.begin)
    else:
        since = min(now - wait, now if newest is None else newest) // DAY * DAY - length
    if since + length + wait > now:
        return None
    if newest is None and not past:
        return since
    if newest is not None and newest >= since + length:
        return since
    if newest is None or newest < since:
        silent = next((at for at, one in enumerate(past) if one.rows), len(past))
        if silent >= MOST_EMPTY:
            return None
    return since if now >= since + length + wait + PATIENCE else None


def _newest(project: Definitions, table: str) -> Micros | None:
    last = next(iter(project.store.catalog.find(TableVersion, table, limit=1)), None)
    return last.last_event if last is not None and project.store.tables.version(table) is not None else None


def _look(project: Definitions, monitor: DataMonitor, since: Micros, now: Micros) -> list[Decision]:
    catalog = project.store.catalog
    versions = catalog.find(TableVersion, monitor.table)[::-1]
    try:
        report = _assessed(project, monitor, since, versions)
    except _UNREAD as error:
        report = msgspec.structs.replace(_without(monitor, since, _why(monitor, error)), unread=True)
    report = msgspec.structs.replace(report, looked=now)
    revision = catalog.record_revision(report.ref)
    before = catalog.get(DataReport, report.key) if report.unread and revision else None
    if before is not None and before.unread and before.missing == report.missing:
        return []  # it is as it was: a look every few seconds need not keep that
    keeping = Keeping(
        report=report,
        findings=judge_data(report, monitor),
        rules=Rules(monitor.terms_of, lambda rule: stands_data(rule, report, monitor)),
        sinks=monitor.sinks,
        explain=lambda settled: explained(project, monitor, report, settled),
        links=[Link(f"table:{monitor.table}@{one}", report.ref, "watched") for one in report.versions],
    )
    return keep(project, keeping, Again(revision, None, report.until) if revision else None)


def _assessed(
    project: Definitions, monitor: DataMonitor, since: Micros, versions: Sequence[TableVersion]
) -> DataReport:
    version = project.store.tables.version(monitor.table)
    if version is None:
        was = "is gone: it was erased" if versions else "was never taken in: there is no such table"
        return _without(monitor, since, f"table {monitor.table} {was}")
    first = min((one.first_event for one in versions if one.first_event is not None), default=None)
    if first is None:
        held = "rows of it have no time" if versions and versions[-1].rows else "it holds no rows"
        return _without(monitor, since, f"table {monitor.table} can't be cut into windows of time: {held}")
    spans = spans_of(monitor, since, first)
    if monitor.of_features:
        report = _of_view(project, monitor, spans, version)
    else:
        report = _of_table(project, monitor, spans, version, versions)
    return msgspec.structs.replace(report, versions=versions_of(versions, spans.since, spans.until))


def _of_table(
    project: Definitions, monitor: DataMonitor, spans: Spans, version: int, versions: Sequence[TableVersion]
) -> DataReport:
    found = read_rows(project, monitor, spans, version)
    report = assess(monitor, spans, found.material)
    bounds = Bounds("share", monitor.nulls, alpha_of(monitor, len(found.material.schema)), below=False)
    veil = veil_of_table(project, monitor.table, versions)
    report = with_refused(report, versions, spans, bounds, veil)
    changed = _changed(_schema_before(project, monitor, spans.since), found.schema)
    absent = [f"{name} is watched and not there" for name in found.absent]
    return msgspec.structs.replace(report, schema=found.schema, changed=(*changed, *absent))


def _of_view(project: Definitions, monitor: DataMonitor, spans: Spans, version: int) -> DataReport:
    sampled = sample(project, monitor, spans, version)
    report = assess(monitor, spans, sampled.material)
    made = project.views[monitor.name].feature_names
    absent = tuple(f"{name} is watched and not there" for name in monitor.columns if name not in made)
    report = with_ages(report, sampled, spans, monitor, project.views[monitor.name].ttl)
    return msgspec.structs.replace(report, changed=absent)


def _schema_before(project: Definitions, monitor: DataMonitor, since: Micros) -> tuple[ColumnType, ...]:
    reports = project.store.catalog.find(DataReport, monitor.watched, limit=_RECENT)
    return next((one.schema for one in reports if one.until <= since and one.schema), ())


def _changed(before: Sequence[ColumnType], now: Sequence[ColumnType]) -> list[str]:
    if not before:
        return []
    old, new = ({one.name: one.dtype for one in side} for side in (before, now))
    told = [f"{name} is gone" for name in old if name not in new]
    told += [f"{name} is new" for name in new if name not in old]
    return told + [f"{name} was {old[name]}, is {new[name]}" for name in new if old.get(name, new[name]) != new[name]]


def _why(monitor: DataMonitor, error: BaseException) -> str:
    """In words; what a library says may hold values of rows, and is left out."""
    if isinstance(error, DrivetrainError):
        return f"it can't be looked at: {str(error).splitlines()[0].rstrip('.')}"
    return f"it can't be looked at: files of table {monitor.table} can't be read ({type(error).__name__})"


def _without(monitor: DataMonitor, since: Micros, why: str) -> DataReport:
    until = since + monitor.window_us
    return DataReport(
        at=until, watched=monitor.watched, table=monitor.table, since=since, until=until, missing=why, notes=(why,)
    )
