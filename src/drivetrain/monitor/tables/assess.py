"""A window of a table, or of a view's features, beside those before it: every figure, without a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import DAY, SECOND
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import DataReport
from drivetrain.monitor.column import Column
from drivetrain.monitor.drift import MIN_SEGMENTS, comparable
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.several import measure_several
from drivetrain.monitor.spec import Drift
from drivetrain.monitor.tables.column import Lying, Measured, measure, type_of
from drivetrain.monitor.tables.spans import LEAST, Places, Spans
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.monitor.tables.usual import Bounds, usual

HOUR_SECONDS = 3_600.0
_TESTS_BESIDE = 6
_TESTS_A_COLUMN = 3


class Material(NamedTuple):
    """The rows of a window and of what it is held against, as they were known in time.

    Attributes:
        moments: Event time of each row, microseconds, shape (rows,).
        available: When each was known, shape (rows,).
        schema: The columns to look at, and their types.
        column: Name → values, shape (rows,); read when it is asked for.
        masked: Columns of which no value may be kept.
        volumes: Rows of each window before, and of the window; where there are more than ``moments`` tells of.
    """

    moments: Places
    available: Places
    schema: Mapping[str, pl.DataType]
    column: Callable[[str], pl.Series]
    masked: frozenset[str] = frozenset()
    volumes: tuple[Sequence[float], float] | None = None


def assess(monitor: DataMonitor, spans: Spans, found: Material) -> DataReport:
    """Every figure of a window.

    Args:
        monitor: What is watched.
        spans: The window, and what it is held against.
        found: The rows.
    """
    now = found.moments >= spans.since
    windows = np.where(now, -1, spans.place(found.moments))
    alpha = alpha_of(monitor, len(found.schema))
    report = DataReport(
        at=spans.until,
        watched=monitor.watched,
        table=monitor.table,
        since=spans.since,
        until=spans.until,
        reference_since=spans.reference[0],
        reference_until=spans.reference[1],
        reference_rows=int((~now).sum()),
        rows=int(now.sum()),
    )
    before, here = found.volumes or (np.bincount(windows[windows >= 0], minlength=len(spans.before)), report.rows)
    if found.volumes is not None and not monitor.of_features:
        report = replace(report, rows=int(here))
    volume = usual(float(here), [float(one) for one in before], 0, Bounds("count", monitor.fewer, alpha))
    report = replace(report, volume=volume)
    if not now.any():
        return replace(report, notes=("the window has no rows",))
    if not monitor.of_features:
        report = _times(report, spans, found, windows, alpha)
    days, at = np.unique(found.moments[~now] // DAY, return_inverse=True)
    lying = Lying(windows, len(spans.before), now, at.astype(np.intp), len(days), alpha, monitor.nulls)
    notes = _short(spans, report)
    measured, told = _columns(monitor, found, lying)
    report = replace(report, columns=tuple(one.seen for one in measured), notes=(*notes, *told))
    return report if monitor.drift is None else _drift(report, monitor.drift, measured, days, lying, spans)


def alpha_of(monitor: DataMonitor, columns: int) -> float:
    """What each rule but drift may err by, so that all together keep to the stated rate."""
    return monitor.false_alarm / (_TESTS_BESIDE + _TESTS_A_COLUMN * max(columns, 1))


def _short(spans: Spans, report: DataReport) -> list[str]:
    if not report.reference_rows:
        return ["the reference has no rows: the window is held against nothing"]
    if len(spans.before) < LEAST:
        many = len(spans.before)
        return [f"the reference has {many} such window{'s' if many != 1 else ''}: {LEAST} say what is usual"]
    return []


def _times(report: DataReport, spans: Spans, found: Material, windows: Places, alpha: float) -> DataReport:
    """How new the newest row was at the window's end, and how soon rows were known."""
    now = found.moments >= spans.since
    asked = Bounds("time", 1.0, alpha, below=False, floor=HOUR_SECONDS)
    behind, waits = [], []
    for window, (_, until) in enumerate(spans.before):
        there = windows == window
        if there.any():
            behind.append((until - int(found.moments[there].max())) / SECOND)
            waits.append(_wait(found, there))
    lag = (spans.until - int(found.moments[now].max())) / SECOND
    return replace(
        report,
        freshness=usual(lag, behind, 0, asked),
        arrival=usual(_wait(found, now), waits, 0, asked),
    )


def _wait(found: Material, there: npt.NDArray[np.bool_]) -> float:
    return float(np.median(found.available[there] - found.moments[there])) / SECOND


def _columns(monitor: DataMonitor, found: Material, lying: Lying) -> tuple[list[Measured], list[str]]:
    """Each column; one that can't be measured is told of, and stops no other."""
    measured, notes = [], []
    for name, dtype in found.schema.items():
        wanted = monitor.drift is not None and (not monitor.drift.features or name in monitor.drift.features)
        drifts = wanted and type_of(dtype) != "counted" and lying.length > 0
        values = found.column(name)
        try:
            measured.append(measure(values, lying, masked=name in found.masked, drifts=drifts))
        except (DrivetrainError, pl.exceptions.PolarsError) as error:
            notes.append(f"column {name} can't be looked at: {type(error).__name__}")
    return measured, notes


def _drift(
    report: DataReport,
    asked: Drift,
    measured: Sequence[Measured],
    days: npt.NDArray[np.int64],
    lying: Lying,
    spans: Spans,
) -> DataReport:
    held = [one for one in measured if one.reference is not None]
    if not held or not len(days):
        return report
    columns = tuple(one.reference for one in held if one.reference is not None)
    reference = Reference(
        days=tuple(days.tolist()),
        rows=report.reference_rows,
        columns=columns,
        output=_traffic(lying),
    )
    length = int(spans.length // DAY)
    if not comparable(reference, length):
        words = f"the reference has too few stretches of {length} days to tell drift from chance: {MIN_SEGMENTS} do"
        return replace(report, notes=(*report.notes, words))
    values = np.column_stack([one.values for one in held])
    drift, _, further = measure_several(reference, values, np.zeros(len(values)), asked=asked, days=length, apart=True)
    names = {one.name for one in columns}
    return replace(report, drift=drift, further=tuple(one for one in further if one.feature in names))


def _traffic(lying: Lying) -> Column:
    """Stands where a model's answers would: its counts say how many rows each day has."""
    rows = np.bincount(lying.days, minlength=lying.length)
    counts = tuple((0, int(each), 0, 0) for each in rows)
    return Column("rows", "number", (0.0, 5e-324), (), (), counts, (0.0,) * 5)


def middle(values: npt.NDArray[np.float64]) -> float | None:
    """The median of what is known."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
