"""Errors of an endpoint's version followed as labels come: each once, whatever was killed in between."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import DAY, Micros, datetime_of
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import (
    Concept,
    CountedDay,
    Decision,
    ErrorStream,
    Evaluation,
    ModelVersion,
    MonitorReport,
    Task,
)
from drivetrain.loop.alerting.keeping import Again, keep_window
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.maturing import HORIZON, WHOLE
from drivetrain.monitor.answered import answered
from drivetrain.monitor.concept.detector import ConceptName
from drivetrain.monitor.concept.stream import advance
from drivetrain.monitor.erring import losses
from drivetrain.monitor.estimate.keeping import Kept, load_kept
from drivetrain.monitor.labels import arrived, join_labels
from drivetrain.monitor.rise import CONCEPT, judge_concept, stands
from drivetrain.monitor.spec import Monitor
from drivetrain.serve.log.columns import FEEDBACK, feedback_table, predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.store.bundle import Store

EVERY: Micros = DAY
"""Labels are looked for once in so long, and of days that are over."""

MOST = 2_000
"""Errors of a day that are followed; of more predictions, a share drawn by their marks."""

_LATE: Micros = 7 * DAY
"""For how long a day without a prediction waits for some that are logged later."""
_ALL = 1 << 32
_MARK = "_mark"
_KEYS = ("endpoint", "request_id", "row", "entity", "at", "role", "version", "prediction", "scores")


class _Fresh(NamedTuple):
    rows: pl.DataFrame
    """Predictions whose labels were not counted yet, labels joined, in the order of their moments."""
    days: dict[int, CountedDay]


def follow(project: Definitions, monitor: Monitor, now: Micros) -> list[Decision]:
    """Takes the labels that came since the last look into the errors of the version that the newest window judges.

    Errors and the detector are kept in one commit with the report and the alerts that follow, so that a kill repeats
    nothing and leaves nothing out, and of two watchers one counts. Another version begins anew.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        now: The moment to look as of.
    """
    asked, store = monitor.performance, project.store
    report = next(iter(store.catalog.find(MonitorReport, monitor.endpoint, limit=1)), None)
    if asked is None or asked.concept is None or report is None:
        return []
    revision = store.catalog.record_revision(report.ref)
    report = store.catalog.get(MonitorReport, report.key) or report
    stream, before = _stream(store, report, asked.concept, now)
    if now < stream.at + EVERY and report.concept is not None:
        return []
    version = store.catalog.get(ModelVersion, f"{report.model}@{report.version}")
    if version is None:
        return []
    compact(store, project.log_folder, monitor.endpoint)
    stream, told = _followed(store, stream, version, now)
    report = replace(report, concept=told)
    again = Again(revision, frozenset({CONCEPT}), now, (stream,), {stream.ref: before})
    return keep_window(project, monitor, report, judge_concept(report, asked), again=again)


def next_follow(catalog: Catalog, report: MonitorReport) -> Micros:
    """The moment before which no look finds labels to follow; 0 where the next one does."""
    stream = catalog.get(ErrorStream, f"{report.endpoint}@{report.version}")
    return 0 if stream is None or report.concept is None else stream.at + EVERY


def _stream(store: Store, report: MonitorReport, detector: ConceptName, now: Micros) -> tuple[ErrorStream, int]:
    """The version's errors so far, and the revision they were read at; they begin with its first window on record."""
    reports = store.catalog.find(MonitorReport, report.endpoint, since=now - HORIZON)
    since = min((one.since for one in reports if one.version == report.version), default=report.since)
    fresh = ErrorStream(
        at=now - EVERY,
        endpoint=report.endpoint,
        version=report.version,
        detector=detector,
        first=since // DAY,
    )
    revision = store.catalog.record_revision(fresh.ref)
    found = store.catalog.get(ErrorStream, fresh.key)
    if found is None:
        return fresh, revision
    if found.detector != detector:  # what was counted stays counted; the new detector begins with what comes
        return replace(fresh, days=found.days, first=found.first), revision
    return found, revision


def _followed(store: Store, stream: ErrorStream, version: ModelVersion, now: Micros) -> tuple[ErrorStream, Concept]:
    evaluation = store.catalog.get(Evaluation, version.run_id)
    task = Task() if evaluation is None else evaluation.task
    beside = store.blobs.get(version.reference) if version.reference else None
    kept: Kept | None = load_kept(beside) if beside else None
    fresh = _uncounted(store, stream, now)
    judged = answered(fresh.rows, task)
    loss = losses(judged.answers, stream.detector, kept)
    stream = replace(stream, at=now, days=fresh.days)
    if loss.values is None:
        return stream, Concept(detector=stream.detector, note=loss.words)
    stream = advance(stream, loss.values, judged.ats)
    return stream, stands(stream, loss.words)


def _uncounted(store: Store, stream: ErrorStream, now: Micros) -> _Fresh:
    """Labels to count, of days that are over and wait for some.

    Days are read one at a time, and of each no more is kept than is followed, however long the log is.
    """
    oldest = max(stream.first, (now - HORIZON) // DAY)
    days = {day: one for day, one in stream.days.items() if day >= oldest}
    log = _log(store, stream)
    followed = [_marked(log.limit(0).collect())]
    for day in range(oldest, now // DAY):
        before = days.get(day)
        if before is not None and before.closed:
            continue
        rows = log.filter(pl.col("at") >= datetime_of(day * DAY), pl.col("at") < datetime_of((day + 1) * DAY)).collect()
        if rows.is_empty():
            if (day + 1) * DAY + _LATE <= now:
                days[day] = CountedDay(0, closed=True)
            continue
        days[day] = before or CountedDay(int(_ALL * min(MOST / rows.height, 1.0)))
        mine = _marked(rows).filter(pl.col(_MARK) < days[day].below)
        if mine.is_empty():
            days[day] = CountedDay(days[day].below, closed=True)
        followed.append(mine)
    predictions = pl.concat(followed)
    rows = join_labels(predictions, _feedback(store, stream, predictions), endpoint=stream.endpoint)
    return _counted(rows, days)


def _counted(rows: pl.DataFrame, days: dict[int, CountedDay]) -> _Fresh:
    """Of rows that are followed, those whose labels were not counted yet; and the days once they are."""
    marks, ats = rows[_MARK].to_numpy(), rows["at"].cast(pl.Int64).to_numpy()
    came = rows.select(arrived()).to_series().to_numpy()
    taken = np.zeros(len(rows), bool)
    for day in np.unique(ats // DAY).tolist():
        mine, before = ats // DAY == day, days[day]
        counted = np.frombuffer(before.marks, np.uint32)
        taken |= mine & came & ~np.isin(marks, counted)
        closed = bool(came[mine].mean() >= WHOLE)
        now_counted = np.unique(marks[mine & came]).astype(np.uint32)
        days[day] = CountedDay(before.below, b"" if closed else np.union1d(counted, now_counted).tobytes(), closed)
    fresh = rows.drop(_MARK).filter(taken).unique(["request_id", "row"], keep="first", maintain_order=True)
    return _Fresh(fresh.sort("at", maintain_order=True), days)


def _marked(rows: pl.DataFrame) -> pl.DataFrame:
    """With four bytes that stand for a prediction, the same whenever it is read."""
    names = zip(rows["request_id"].to_list(), rows["row"].to_list(), strict=True)
    digests = b"".join(blake2b(f"{request}/{row}".encode(), digest_size=4).digest() for request, row in names)
    return rows.with_columns(pl.Series(_MARK, np.frombuffer(digests, np.uint32).astype(np.int64)))


def _log(store: Store, stream: ErrorStream) -> pl.LazyFrame:
    return (
        store.tables.scan(predictions_table(stream.endpoint))
        .filter(pl.col("role") == "champion", pl.col("version") == stream.version)
        .select(*_KEYS)
    )


def _feedback(store: Store, stream: ErrorStream, predictions: pl.DataFrame) -> pl.DataFrame:
    """The labels that may be of these predictions."""
    table = feedback_table(stream.endpoint)
    if store.tables.version(table) is None or predictions.is_empty():
        return pl.DataFrame(schema=FEEDBACK)
    since = int(predictions["at"].cast(pl.Int64).min()) // DAY * DAY - DAY  # type: ignore[arg-type]
    theirs = [
        pl.col(name).is_in(predictions[name].drop_nulls().unique().implode()) & (pl.col(name) != "")
        for name in ("request_id", "entity")
    ]
    return store.tables.scan(table).filter(pl.col("at") >= datetime_of(since), theirs[0] | theirs[1]).collect()
