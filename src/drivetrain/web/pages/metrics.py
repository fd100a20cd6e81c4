"""``/metrics``: what monitors saw, for Prometheus; of the server that answers, ``/metrics`` of the endpoint itself."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from drivetrain.core.clock import SECOND, now
from drivetrain.core.records import SEVERITIES, Alert, DataReport, MonitorReport, TableVersion
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(desk: DeskOf) -> Response:
    """The newest window of every endpoint, alerts, sinks and tables, as gauges."""
    registry = CollectorRegistry()
    registry.register(Seen(desk))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Seen(Collector):
    """What the catalog knows, gathered when it is asked for.

    Args:
        desk: The project.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every gauge."""
        reports = [
            found[0]
            for name in self._desk.endpoints
            if (found := self._desk.store.catalog.find(MonitorReport, name, limit=1))
        ]
        yield from _windows(reports)
        yield from _drift(reports)
        watched = (self._desk.store.catalog.find(DataReport, name, limit=1) for name in self._desk.watched)
        yield from _data([one[0] for one in watched if one])
        yield from self._alerts()
        yield from self._tables()

    def _alerts(self) -> Iterator[GaugeMetricFamily]:
        opened = _gauge("alerts_open", "Alerts that are open", "endpoint", "severity")
        for name in (*self._desk.endpoints, *self._desk.watched):
            found = [one for one in self._desk.store.catalog.find(Alert, name) if one.state == "open"]
            for severity in SEVERITIES:
                opened.add_metric([name, severity], sum(one.severity == severity for one in found))
        yield opened
        yield _with(_gauge("silences", "Silences that hold"), [([], float(len(self._desk.alerts.silences())))])
        sinks = self._desk.alerts.sinks()
        yield _with(
            _gauge("sink_waiting", "Events that wait for a sink", "sink"),
            [([one.sink], float(one.waiting)) for one in sinks],
        )
        yield _with(
            _gauge("sink_up", "Whether a sink took what it was told last", "sink"),
            [([one.sink], float(one.state == "good")) for one in sinks],
        )

    def _tables(self) -> Iterator[GaugeMetricFamily]:
        age = _gauge("table_version_age_seconds", "Time since the newest version of a table was made", "table")
        event = _gauge("table_event_age_seconds", "Time since the newest event in a table", "table")
        rows = _gauge("table_rows", "Rows of a table", "table")
        version = _gauge("table_version", "Number of the newest version of a table", "table")
        moment = now()
        for name in self._desk.sources:
            found = self._desk.store.catalog.find(TableVersion, name, limit=1)
            if not found:
                continue
            newest = found[0]
            age.add_metric([name], (moment - newest.at) / SECOND)
            rows.add_metric([name], newest.rows)
            version.add_metric([name], newest.version)
            if newest.last_event is not None:
                event.add_metric([name], (moment - newest.last_event) / SECOND)
        yield from (age, event, rows, version)


def _windows(reports: list[MonitorReport]) -> Iterator[GaugeMetricFamily]:
    about = ("endpoint", "version")
    performance = _gauge("performance", "A metric on arrived labels, and the ends of its interval",
                         *about, "metric", "bound")  # fmt: skip
    reference = _gauge("performance_reference", "The metric when the version was evaluated", *about, "metric")
    labels = _gauge("label_share", "Share of a window's predictions whose label has arrived", *about)
    predictions = _gauge("predictions", "Predictions of a window", *about)
    latency = _gauge("latency_seconds", "Time to answer, by quantile", *about, "quantile")
    failed = _gauge("failed_share", "Share of requests that something stood in for", *about)
    cost = _gauge("cost_per_1000", "What a thousand predictions cost, by the monitor's core_hour", *about)
    until = _gauge("window_end_timestamp_seconds", "End of the newest window", *about)
    ages = _gauge("view_age_seconds", "Median age of a view's values", *about, "view")
    for one in reports:
        who = [one.endpoint, str(one.version)]
        for name, measure in one.performance.items():
            bounds = {"value": measure.value, "low": measure.low, "high": measure.high}
            for bound, value in bounds.items():
                if value is not None:
                    performance.add_metric([*who, name, bound], value)
        for name, measure in one.reference.items():
            reference.add_metric([*who, name], measure.value)
        labels.add_metric(who, one.label_share)
        predictions.add_metric(who, one.predictions)
        latency.add_metric([*who, "0.5"], one.latency_p50_us / SECOND)
        latency.add_metric([*who, "0.99"], one.latency_p99_us / SECOND)
        failed.add_metric(who, one.failed_share)
        if one.cost_per_1000 is not None:
            cost.add_metric(who, one.cost_per_1000)
        until.add_metric(who, one.until / SECOND)
        for view, age in one.median_ages.items():
            ages.add_metric([*who, view], age)
    yield from (performance, reference, labels, predictions, latency, failed, cost, until, ages)


def _drift(reports: list[MonitorReport]) -> Iterator[GaugeMetricFamily]:
    labels = ("endpoint", "version", "feature", "statistic")
    value = _gauge("drift", "How far a feature, or the answers, are from training", *labels)
    threshold = _gauge("drift_threshold", "From where on that counts as drifted", *labels)
    drifted = _gauge("drifted_features", "Features that drifted in the newest window", "endpoint", "version")
    for one in reports:
        for each in (*one.drift, *((one.output,) if one.output else ())):
            who = [one.endpoint, str(one.version), each.feature, each.statistic]
            value.add_metric(who, each.value)
            threshold.add_metric(who, each.threshold)
        drifted.add_metric([one.endpoint, str(one.version)], sum(each.drifted for each in one.drift))
    yield from (value, threshold, drifted)


def _data(reports: list[DataReport]) -> Iterator[GaugeMetricFamily]:
    rows = _gauge("watched_rows", "Rows of the newest window; of a view, entities with events", "watched")
    usual = _gauge("watched_rows_usual", "What such windows had before", "watched")
    until = _gauge("watched_window_end_timestamp_seconds", "End of the newest window", "watched")
    refused = _gauge("watched_refused_share", "Share of delivered rows that the contract refused", "watched")
    nulls = _gauge("watched_null_share", "Share of rows without a value", "watched", "column")
    drift = _gauge("watched_drift", "How far a column is from the windows before", "watched", "column", "statistic")
    bound = _gauge("watched_drift_threshold", "From where on that counts", "watched", "column", "statistic")
    for one in reports:
        until.add_metric([one.watched], one.until / SECOND)
        if one.volume is not None:
            rows.add_metric([one.watched], one.volume.value)
            if one.volume.middle is not None:
                usual.add_metric([one.watched], one.volume.middle)
        if one.quarantined is not None:
            refused.add_metric([one.watched], one.quarantined.value)
        for column in one.columns:
            nulls.add_metric([one.watched, column.name], column.nulls.value)
        for each in one.drift:
            drift.add_metric([one.watched, each.feature, each.statistic], each.value)
            bound.add_metric([one.watched, each.feature, each.statistic], each.threshold)
    yield from (rows, usual, until, refused, nulls, drift, bound)


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"drivetrain_monitor_{name}", words, labels=list(labels))


def _with(gauge: GaugeMetricFamily, found: list[tuple[list[str], float]]) -> GaugeMetricFamily:
    for labels, value in found:
        gauge.add_metric(labels, value)
    return gauge
