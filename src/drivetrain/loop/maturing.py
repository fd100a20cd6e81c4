"""Windows looked at again while their labels are still coming, ever more rarely as they age."""

from __future__ import annotations

import msgspec
import polars as pl

from drivetrain.core.clock import DAY, Micros, datetime_of
from drivetrain.core.records import Decision, Evaluation, Maturity, ModelVersion, MonitorReport
from drivetrain.loop.alerting.keeping import Again, keep_window
from drivetrain.loop.closer import look_closer
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.experimenting import kept_experiments
from drivetrain.loop.upstream import with_upstream
from drivetrain.monitor.estimate.keeping import load_kept
from drivetrain.monitor.labels import arrived, join_labels
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Watched, assess
from drivetrain.serve.log.columns import FEEDBACK, feedback_table, predictions_table
from drivetrain.store.bundle import Store

HORIZON: Micros = 180 * DAY
"""Windows that ended longer ago are left as they are."""

WHOLE = 0.995
"""Share of labels from which on a window is not looked at again."""

FEW = 0.01
"""Share of a window's predictions whose labels must have come since for it to be measured anew."""

_BEFORE = DAY
_TOLD = frozenset({"performance", "calibration", "estimated", "fairness", "segment", "business"})
_ALL = pl.lit(value=True)
_KEYS = ("endpoint", "request_id", "row", "entity", "at", "role", "version")


def known_due(store: Store, endpoint: str) -> Micros | None:
    """Age by which labels have come, as the newest window that could tell says."""
    reports = store.catalog.find(MonitorReport, endpoint, limit=30)
    return next((one.maturity.due for one in reports if one.maturity is not None and one.maturity.due), None)


def mature(project: Definitions, monitor: Monitor, now: Micros) -> list[Decision]:
    """Measures past windows again where labels have come since.

    A window is looked at when it has ended for half its length, and then whenever that time has doubled. Its report
    is kept in place of the one before; the version that answered is judged, whichever answers now. Alerts follow only
    from the newest window that has labels enough: an older one can't say how things stand.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        now: The moment to look as of.
    """
    store = project.store
    if monitor.performance is None or store.tables.version(feedback_table(monitor.endpoint)) is None:
        return []
    decisions: list[Decision] = []
    reports = store.catalog.find(MonitorReport, monitor.endpoint, since=now - HORIZON)
    for old in sorted(reports, key=lambda one: one.until):
        if _due(old, monitor, now):
            decisions += _again(project, monitor, old, now)
    return decisions


def _due(report: MonitorReport, monitor: Monitor, now: Micros) -> bool:
    maturity = report.maturity
    if maturity is None or not report.predictions or report.label_share >= WHOLE:
        return False
    age, looked = now - report.until, maturity.seen - report.until
    return age >= max(2 * looked, monitor.window_us // 2)


def _again(project: Definitions, monitor: Monitor, old: MonitorReport, now: Micros) -> list[Decision]:
    store = project.store
    revision = store.catalog.record_revision(old.ref)
    version = store.catalog.get(ModelVersion, f"{old.model}@{old.version}")
    if version is None:
        return []
    if _labelled(store, old) - old.labelled < max(FEW * old.predictions, 1):
        store.catalog.commit(_looked(old, now))
        return []
    model = project.find_endpoint(monitor.endpoint).model
    predictions, feedback = _logged(store, old)
    reference = store.blobs.get(version.reference) if version.reference else None
    assessment = assess(
        predictions,
        feedback,
        monitor=msgspec.structs.replace(monitor, drift=None, latency_ms=None),
        watched=Watched(
            model=old.model,
            version=old.version,
            evaluation=store.catalog.get(Evaluation, version.run_id),
            kept=load_kept(reference) if reference else None,
            due=known_due(store, monitor.endpoint),
        ),
        since=old.since,
        until=old.until,
        now=now,
    )
    assessment = with_upstream(store.catalog, model, assessment)
    # What moved the answers does not hang on labels.
    labelled = msgspec.structs.replace(monitor, attribution=None)
    assessment = look_closer(project, labelled, assessment, version, (predictions, feedback))
    report = merged(old, assessment.report)
    newer = store.catalog.find(MonitorReport, monitor.endpoint, since=old.at + 1)
    enough = monitor.performance.min_labels if monitor.performance else 0
    if any(one.until > old.until and one.labelled >= enough for one in newer):
        store.catalog.commit(report)
        return []
    findings = [one for one in assessment.findings if one.rule.partition(".")[0] in _TOLD]
    return keep_window(project, monitor, report, findings, again=Again(revision, _TOLD, now))


def merged(old: MonitorReport, fresh: MonitorReport) -> MonitorReport:
    """A report with what labels that came since show; what does not depend on them stays as it was seen."""
    estimation = old.estimation
    if estimation is not None and fresh.estimation is not None:
        estimation = msgspec.structs.replace(estimation, gaps=fresh.estimation.gaps)
    return msgspec.structs.replace(
        old,
        labelled=fresh.labelled,
        label_share=fresh.label_share,
        performance=fresh.performance,
        shadow=fresh.shadow,
        maturity=fresh.maturity,
        estimation=estimation,
        why=fresh.why,
        groups=fresh.groups,
        segments=fresh.segments,
        worth=fresh.worth,
        experiments=kept_experiments(old.experiments, fresh.experiments),
    )


def _looked(report: MonitorReport, now: Micros) -> MonitorReport:
    maturity = msgspec.structs.replace(report.maturity or Maturity(seen=now), seen=now)
    return msgspec.structs.replace(report, maturity=maturity)


def _labelled(store: Store, report: MonitorReport) -> int:
    """How many of a window's predictions have a label by now; reads none of their values.

    Feedback since the window is ever more, as it ages; only what names one of its predictions is brought together.
    """
    rows = _window(store, report).select(*_KEYS).collect()
    entities, requests = (rows[name].unique() for name in ("entity", "request_id"))
    named = pl.col("entity").is_in(entities.filter(entities != "")) | pl.col("request_id").is_in(requests)
    joined = join_labels(rows, _feedback(store, report, named), endpoint=report.endpoint)
    return int(joined.select(arrived().sum()).item())


def _logged(store: Store, report: MonitorReport) -> tuple[pl.DataFrame, pl.DataFrame]:
    window = store.tables.scan(predictions_table(report.endpoint)).filter(
        pl.col("at") >= datetime_of(report.since), pl.col("at") < datetime_of(report.until)
    )
    return window.collect(), _feedback(store, report)


def _window(store: Store, report: MonitorReport) -> pl.LazyFrame:
    return store.tables.scan(predictions_table(report.endpoint)).filter(
        pl.col("at") >= datetime_of(report.since),
        pl.col("at") < datetime_of(report.until),
        pl.col("role") == "champion",
        pl.col("version") == report.version,
    )


def _feedback(store: Store, report: MonitorReport, asked: pl.Expr = _ALL) -> pl.DataFrame:
    table = feedback_table(report.endpoint)
    if store.tables.version(table) is None:
        return pl.DataFrame(schema=FEEDBACK)
    return store.tables.scan(table).filter(pl.col("at") >= datetime_of(report.since - _BEFORE), asked).collect()
