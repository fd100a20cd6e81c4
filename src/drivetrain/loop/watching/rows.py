"""The rows of a table that a window, and what it is held against, are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.records import ColumnType, DataReport, TableVersion, Usual
from drivetrain.data.arrival import AVAILABLE_AT, EVENT_TIME, RESERVED, SEQUENCE
from drivetrain.data.veil import Veil
from drivetrain.loop.data import veil_of_table
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.tables.assess import Material
from drivetrain.monitor.tables.spans import Spans
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.monitor.tables.usual import Bounds, usual

MOST_ROWS = 1_000_000
"""Rows of a window and its reference that columns are looked at of; of more, every so many is."""
_ROW = "\0row"


class Read(NamedTuple):
    """What a table gave.

    Attributes:
        material: Its rows.
        schema: Its columns.
        absent: Columns that are watched and not there.
    """

    material: Material
    schema: tuple[ColumnType, ...]
    absent: tuple[str, ...]


def read_rows(project: Definitions, monitor: DataMonitor, spans: Spans, version: int) -> Read:
    """Reads the rows of one version of a table, a column at a time.

    Args:
        project: Whose.
        monitor: What is watched.
        spans: The window, and what it is held against.
        version: The table's version.

    Raises:
        StoreError: The table can't be read.
    """
    rows = project.store.tables.scan(monitor.table, version)
    whole = dict(rows.collect_schema())
    schema = {name: dtype for name, dtype in whole.items() if name not in RESERVED}
    wanted = list(monitor.columns) or [name for name in schema if name not in _given(project, monitor.table)]
    known = {name: schema[name] for name in wanted if name in schema}
    event, available = (pl.col(name).dt.epoch("us") for name in (EVENT_TIME, AVAILABLE_AT))
    ours = rows.filter(_between(spans.reference) | _between((spans.since, spans.until)))
    times = ours.select(event, available, pl.col(SEQUENCE).alias(_ROW)).collect()
    moments, known_at = times[EVENT_TIME].to_numpy(), times[AVAILABLE_AT].to_numpy()
    held = spans.known(moments, known_at, monitor.wait_us)
    volumes = _volumes(spans, moments[held])
    step = -(-int(held.sum()) // MOST_ROWS)
    if step > 1:
        held &= times[_ROW].to_numpy() % step == 0
    mask = pl.Series(held)
    veil = veil_of_table(project, monitor.table, project.store.catalog.find(TableVersion, monitor.table))
    material = Material(
        moments=moments[held],
        available=known_at[held],
        schema=known,
        column=lambda name: ours.select(name).collect().to_series().filter(mask),
        masked=frozenset(name for name in known if veil.hides(name)) | subjects_of(project, monitor.table),
        volumes=volumes,
    )
    absent = tuple(name for name in monitor.columns if name not in schema)
    return Read(material, tuple(ColumnType(name, str(dtype)) for name, dtype in schema.items()), absent)


def versions_of(versions: Sequence[TableVersion], since: Micros, until: Micros) -> tuple[int, ...]:
    """Versions of a table that brought the rows of a window: those made while its newest event was in it.

    Args:
        versions: Of one table, oldest first.
        since: Start of the window.
        until: Its end.
    """
    found, reached = [], 0
    for one in versions:
        before, reached = reached, max(reached, one.last_event or 0)
        if one.last_event is not None and before < until and one.last_event >= since:
            found.append(one.version)
    return tuple(found)


def with_refused(
    report: DataReport, versions: Sequence[TableVersion], spans: Spans, bounds: Bounds, veil: Veil
) -> DataReport:
    """Adds what the contract refused of what was delivered, by reason, beside windows before.

    A delivery counts to the window that its table's newest event was in once it was taken in; one that added nothing,
    to the window that it came in.
    """
    here = _refused(versions, spans.since, spans.until, veil)
    if here is None:
        return report
    before = [one for since, until in spans.before if (one := _refused(versions, since, until, veil)) is not None]

    def beside(reason: str | None) -> Usual:
        return usual(here.share(reason), [one.share(reason) for one in before], float(here.delivered), bounds)

    told = {reason: beside(reason) for reason in here.reasons}
    return replace(report, quarantined=beside(None), reasons=told)


class _Refused(NamedTuple):
    delivered: int
    refused: int
    reasons: dict[str, int]

    def share(self, reason: str | None) -> float:
        many = self.refused if reason is None else self.reasons.get(reason, 0)
        return min(many / self.delivered, 1.0) if self.delivered else 0.0


def _refused(versions: Sequence[TableVersion], since: Micros, until: Micros, veil: Veil) -> _Refused | None:
    ours = [one for one in versions if since <= one.moment < until]
    if not ours:
        return None
    reasons: dict[str, int] = {}
    for one in ours:
        for reason, count in veil.reasons(one.refused_for).items():
            reasons[reason] = reasons.get(reason, 0) + count
    delivered = sum(one.delivered or one.added + one.quarantined for one in ours)
    return _Refused(delivered, sum(one.quarantined for one in ours), reasons)


def _given(project: Definitions, table: str) -> frozenset[str]:
    """Columns that name a row or say when it was: they are unlike those before by their nature."""
    source = project.sources.get(table)
    if source is None:
        return frozenset()
    return frozenset(name for name in (*source.key, source.time, source.available, source.deleted) if name)


def subjects_of(project: Definitions, table: str) -> frozenset[str]:
    """Columns of a table that name entities: whoever is forgotten must not stand in a report as a value."""
    views = [view for view in project.views.values() if view.source.name == table]
    return frozenset(name for view in views for name in view.key_columns)


def _between(span: tuple[Micros, Micros]) -> pl.Expr:
    since, until = span
    return (pl.col(EVENT_TIME) >= datetime_of(since)) & (pl.col(EVENT_TIME) < datetime_of(until))


def _volumes(spans: Spans, moments: np.ndarray) -> tuple[list[float], float]:
    now = moments >= spans.since
    places = spans.place(moments[~now])
    counts = np.bincount(places[places >= 0], minlength=len(spans.before))
    return [float(one) for one in counts], float(now.sum())
