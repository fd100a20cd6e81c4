"""Counts and durations of one worker, and the sum over workers as Prometheus text."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isnan
from typing import TypeAlias

import msgspec
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from drivetrain.core.records import ModelVersion

Labels: TypeAlias = tuple[str, ...]

BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the latency histogram, in seconds."""
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Upper bounds of the histogram of batch sizes, in instances."""

_COUNTERS = {
    "requests": ("drivetrain_requests", "Requests answered.", ("endpoint", "route", "status")),
    "predictions": ("drivetrain_predictions", "Instances predicted and logged.", ("endpoint", "role", "version")),
    "batches": ("drivetrain_batches", "Batches run; predictions divided by batches is the batch size.", ("endpoint",)),
    "features_away": ("drivetrain_features_away", "Instances predicted without their views.", ("endpoint",)),
    "feedback": ("drivetrain_feedback", "Labels received and logged.", ("endpoint",)),
    "missing": (
        "drivetrain_missing_features",
        "Feature values that were null, or of a category never seen in training.",
        ("endpoint", "feature"),
    ),
    "stood_in": (
        "drivetrain_stood_in",
        "Instances that a fallback answered in place of this version.",
        ("endpoint", "version"),
    ),
    "routed": ("drivetrain_routed", "Instances by the arm they took.", ("endpoint", "experiment", "arm")),
    "shadow_dropped": ("drivetrain_shadow_dropped", "Shadow predictions left out to spare the answer.", ("endpoint",)),
    "shadow_failed": ("drivetrain_shadow_failed", "Shadow predictions whose model failed.", ("endpoint",)),
    "explained": ("drivetrain_explained", "Instances explained, asked for or sampled.", ("endpoint", "why")),
    "explain_dropped": ("drivetrain_explain_dropped", "Instances drawn, but left out to spare answers.", ("endpoint",)),
    "explain_failed": ("drivetrain_explain_failed", "Instances drawn that could not be explained.", ("endpoint",)),
    "log_refused": ("drivetrain_log_refused", "Requests refused because the log could not be written.", ("endpoint",)),
    "access_dropped": ("drivetrain_access_dropped", "Lines that the access log left out.", ()),
    "witness_failed": ("drivetrain_witness_failed", "Requests that could not be noted or traced.", ("witness",)),
    "reload_failed": ("drivetrain_reload_failed", "Versions that could not be loaded.", ("endpoint", "role")),
}


class Histogram:
    """How often values lay between bounds.

    Args:
        bounds: Upper bounds, ascending.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Counts one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Snapshot(msgspec.Struct, frozen=True):
    """A worker's figures at one moment."""

    counters: dict[str, list[tuple[Labels, float]]] = {}
    latency: dict[str, tuple[list[int], float]] = {}
    """Endpoint → counts by bucket, sum of seconds."""
    batches: dict[str, tuple[list[int], float]] = {}
    """Endpoint → counts by bucket, sum of instances."""
    ages: list[tuple[Labels, float, int]] = []
    """Endpoint and view, sum of seconds, how many values."""
    levels: dict[str, float] = {}
    """What is so at the moment; of a worker that has died, nothing is."""


class Meter:
    """What one worker counts; increments are single dictionary updates, cheap enough for every request."""

    def __init__(self) -> None:
        self.counters: dict[str, defaultdict[Labels, float]] = {name: defaultdict(float) for name in _COUNTERS}
        self._requests = self.counters["requests"]
        self.latency: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(BUCKETS))
        self.batches: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(ROWS))
        self.ages: defaultdict[Labels, list[float]] = defaultdict(lambda: [0.0, 0])
        """Endpoint and view → sum of the ages of its values in seconds, and how many there were."""
        self.levels: dict[str, Callable[[], float]] = {}
        """Name → what tells a figure that goes up and down."""

    def answered(self, endpoint: str, route: str, status: int, seconds: float) -> None:
        """Counts one request and, for predictions, how long it took."""
        self._requests[endpoint, route, str(status)] += 1
        if route == "predict":
            self.latency[endpoint].observe(seconds)

    def snapshot(self) -> Snapshot:
        """The figures so far."""
        return Snapshot(
            counters={name: list(values.copy().items()) for name, values in self.counters.items() if values},
            ages=[(view, total, int(many)) for view, (total, many) in self.ages.copy().items() if many],
            latency={name: (list(seen.counts), seen.total) for name, seen in self.latency.copy().items()},
            batches={name: (list(seen.counts), seen.total) for name, seen in self.batches.copy().items()},
            levels={name: tell() for name, tell in self.levels.items()},
        )


class Tally:
    """Counts what one version predicts in one role.

    Args:
        meter: Where it is counted.
        endpoint: The endpoint.
        role: ``champion``, ``challenger`` or ``shadow``.
        version: The version.
        views: The endpoint's views.
    """

    def __init__(
        self, meter: Meter, endpoint: str, role: str, version: ModelVersion, views: Sequence[str] = ()
    ) -> None:
        self._predictions = meter.counters["predictions"]
        self._predicted = endpoint, role, str(version.version)
        self._batches = meter.batches
        self._endpoint = endpoint
        self._missing = meter.counters["missing"]
        self._nulls = [(endpoint, name) for name in version.input_schema.names]
        self._ages = [meter.ages[endpoint, view] for view in views]

    def predicted(self, rows: int) -> None:
        """Counts instances that were predicted in one batch, and logged."""
        self._predictions[self._predicted] += rows

    def count(self, inputs: Sequence[Sequence[float]], ages: Sequence[Sequence[float]]) -> None:
        """Counts one batch: its instances, the nulls of their input rows and the ages of their values."""
        self._predictions[self._predicted] += len(inputs)
        self._batches[self._endpoint].observe(len(inputs))
        for values in inputs:
            if isnan(sum(values)):
                for label, value in zip(self._nulls, values, strict=True):
                    if isnan(value):
                        self._missing[label] += 1
        if self._ages:
            for row in ages:
                for seen, age in zip(self._ages, row, strict=True):
                    if not isnan(age):
                        seen[0] += age
                        seen[1] += 1


class Gauge(msgspec.Struct, frozen=True):
    """A figure that is what it is now."""

    name: str
    help: str
    labels: Labels
    values: list[tuple[Labels, float]]


def exposition(snapshots: Iterable[Snapshot], gauges: Iterable[Gauge]) -> bytes:
    """The sum of workers' figures, and gauges, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(list(snapshots), list(gauges)))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, snapshots: list[Snapshot], gauges: list[Gauge]) -> None:
        self._snapshots = snapshots
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, (title, text, labels) in _COUNTERS.items():
            counter = CounterMetricFamily(title, text, labels=labels)
            for key, value in sorted(self._sums(name).items()):
                counter.add_metric(key, value)
            yield counter
        yield self._histogram(
            "drivetrain_predict_seconds",
            "Time from the request's arrival to its answer.",
            BUCKETS,
            [snapshot.latency for snapshot in self._snapshots],
        )
        yield self._histogram(
            "drivetrain_batch_rows",
            "Instances that a version was asked for at once.",
            ROWS,
            [snapshot.batches for snapshot in self._snapshots],
        )
        yield self._ages()
        for gauge in self._gauges:
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for key, value in gauge.values:
                family.add_metric(key, value)
            yield family

    def _sums(self, name: str) -> dict[Labels, float]:
        sums: defaultdict[Labels, float] = defaultdict(float)
        for snapshot in self._snapshots:
            for key, value in snapshot.counters.get(name, []):
                sums[key] += value
        return sums

    def _ages(self) -> Metric:
        family = SummaryMetricFamily(
            "drivetrain_feature_age_seconds",
            "From a view's newest value to the moment predicted for.",
            labels=["endpoint", "view"],
        )
        totals: defaultdict[Labels, float] = defaultdict(float)
        counts: defaultdict[Labels, int] = defaultdict(int)
        for key, total, many in (seen for snapshot in self._snapshots for seen in snapshot.ages):
            totals[key] += total
            counts[key] += many
        for key, many in sorted(counts.items()):
            family.add_metric(key, count_value=many, sum_value=totals[key])
        return family

    def _histogram(
        self, title: str, text: str, bounds: Sequence[float], found: Sequence[dict[str, tuple[list[int], float]]]
    ) -> Metric:
        family = HistogramMetricFamily(title, text, labels=["endpoint"])
        for endpoint in sorted({name for one in found for name in one}):
            seen = [one[endpoint] for one in found if endpoint in one]
            counts = [sum(column) for column in zip(*(counts for counts, _ in seen), strict=True)]
            running = [sum(counts[: at + 1]) for at in range(len(counts))]
            names = [*(str(bound) for bound in bounds), "+Inf"]
            family.add_metric(
                [endpoint], list(zip(names, running, strict=True)), sum_value=sum(total for _, total in seen)
            )
        return family
