"""One look of a monitor: windows that have ended are assessed, alerts settled, and what follows is decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Decision, Evaluation, Link, ModelVersion, MonitorReport
from drivetrain.loop.alerting.keeping import keep_window
from drivetrain.loop.classes import classes_of
from drivetrain.loop.closer import look_closer
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.following import follow
from drivetrain.loop.jointly import earlier_rows
from drivetrain.loop.maturing import known_due, mature
from drivetrain.loop.model import Model
from drivetrain.loop.retraining import consider_retraining
from drivetrain.loop.serving_plan import plan_of
from drivetrain.loop.shadowing import consider_shadow
from drivetrain.loop.sketching import against, sketch
from drivetrain.loop.upstream import with_upstream
from drivetrain.monitor.estimate.keeping import load_kept
from drivetrain.monitor.reference import Reference, load
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Watched, assess
from drivetrain.registry.aliases import champion
from drivetrain.serve.log.columns import FEEDBACK, feedback_table, predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.store.bundle import Store
from drivetrain.train.text.encoder import TextEncoder
from drivetrain.train.text.kept import open_reading

LABELS_FROM_BEFORE = timedelta(days=1)
"""Feedback is read from this long before a window: no label comes before its prediction."""


def look(project: Definitions, monitor: Monitor, now: Micros, retrain: Callable[[Model], None]) -> list[Decision]:
    """Everything that is due on one endpoint as of ``now``.

    Windows follow one another without a gap from the first prediction's day on, ``monitor.window`` long; a window
    without predictions is passed over. Done again after a kill, it repeats nothing that was committed.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        now: The moment to look as of.
        retrain: Trains, judges and releases a new version of a model.
    """
    decisions: list[Decision] = []
    while (start := _next_window(project, monitor, now)) is not None:
        decisions += _assess(project, monitor, start, start + monitor.window_us)
    decisions += mature(project, monitor, now)
    decisions += follow(project, monitor, now)
    decisions += consider_shadow(project, monitor, now)
    decisions += consider_retraining(project, monitor, now, retrain)
    return decisions


def _next_window(project: Definitions, monitor: Monitor, now: Micros) -> Micros | None:
    """Start of the first window that was not assessed, has ended, and holds predictions; none if there is none.

    The log is compacted only when a window may be due.
    """
    store, endpoint, due = project.store, monitor.endpoint, now - monitor.window_us
    last = next(iter(store.catalog.find(MonitorReport, endpoint, limit=1)), None)
    if last is None and store.tables.version(predictions_table(endpoint)) is None:
        compact(store, project.log_folder, endpoint)
    if last is not None:
        since = last.until
    else:
        first = _first_prediction(store, endpoint, 0)
        if first is None:
            return None
        since = first // DAY * DAY
    if since > due:
        return None
    compact(store, project.log_folder, endpoint)
    first = _first_prediction(store, endpoint, since)
    if first is None:
        return None
    start = first - (first - since) % monitor.window_us
    return start if start <= due else None


def _first_prediction(store: Store, endpoint: str, since: Micros) -> Micros | None:
    table = predictions_table(endpoint)
    if store.tables.version(table) is None:
        return None
    found = (
        store.tables.scan(table).filter(pl.col("at") >= datetime_of(since)).select(pl.col("at").min().dt.epoch("us"))
    )
    value = found.collect().item()
    return int(value) if value is not None else None


def _assess(project: Definitions, monitor: Monitor, since: Micros, until: Micros) -> list[Decision]:
    store = project.store
    endpoint = project.find_endpoint(monitor.endpoint)
    standing = _judged_version(store, endpoint.model.name)
    beside = store.blobs.get(standing.reference) if standing.reference else None
    reference = load(beside) if beside else None
    if monitor.drift is not None:
        sketch(project, endpoint.name, standing, reference)
    predictions, feedback = logged(store, endpoint.name, since, until)
    assessment = assess(
        predictions,
        feedback,
        monitor=monitor,
        watched=Watched(
            model=endpoint.model.name,
            version=standing.version,
            reference=reference,
            against=against(store, monitor, standing.version, reference, (since, until)),
            kept=load_kept(beside) if beside else None,
            earlier=earlier_rows(store, monitor, standing.version, since, until),
            due=known_due(store, endpoint.name),
            evaluation=store.catalog.get(Evaluation, standing.run_id),
            views=[view.name for view in endpoint.model.views],
            withheld=plan_of(endpoint).withheld,
            unnamed=classes_of(endpoint.model).personal,
            encoders=_encoders(store, standing, reference) if monitor.drift is not None else {},
        ),
        since=since,
        until=until,
        now=until,
    )
    assessment = with_upstream(store.catalog, endpoint.model, assessment)
    assessment = look_closer(project, monitor, assessment, standing, (predictions, feedback))
    return keep_window(
        project,
        monitor,
        assessment.report,
        assessment.findings,
        links=[Link(standing.ref, assessment.report.ref, "watched")],
        example=lambda rule: _example(predictions, rule),
    )


def _encoders(store: Store, version: ModelVersion, reference: Reference | None) -> dict[str, TextEncoder]:
    """What a version makes numbers of its texts with; nothing where none is watched."""
    schema = version.input_schema
    if reference is None or not reference.texts:
        return {}
    reading = open_reading(store.blobs, version.artifacts, schema)
    return dict(zip((schema.names[at] for at in schema.texts), reading.encoders, strict=True))


def _example(predictions: pl.DataFrame, rule: str) -> str:
    """A prediction that shows what a rule is about: of latency the slowest one, else the newest."""
    ours = predictions.filter(pl.col("role") == "champion")
    if ours.is_empty():
        return ""
    by = "latency_us" if rule.partition(".")[0] == "latency" else "at"
    return str(ours.sort(by, descending=True)["request_id"][0])


def _judged_version(store: Store, model: str) -> ModelVersion:
    standing = champion(store, model)
    if standing is None:
        raise StoreError(
            f"model {model!r} has predictions in its log but no champion",
            do="Was the catalog restored? Promote a version",
        )
    return standing


def logged(store: Store, endpoint: str, since: Micros, until: Micros) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Predictions made for ``[since, until)``, and every label known since then."""
    predictions = (
        store.tables.scan(predictions_table(endpoint))
        .filter(pl.col("at") >= datetime_of(since), pl.col("at") < datetime_of(until))
        .collect()
    )
    table = feedback_table(endpoint)
    if store.tables.version(table) is None:
        return predictions, pl.DataFrame(schema=FEEDBACK)
    known_since = datetime_of(since) - LABELS_FROM_BEFORE
    return predictions, store.tables.scan(table).filter(pl.col("at") >= known_since).collect()
