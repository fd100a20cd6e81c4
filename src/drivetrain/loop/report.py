"""A report of one endpoint over a time, from the catalog."""

from __future__ import annotations

from pathlib import Path

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import StoreError, UsageError
from drivetrain.core.records import SEVERITIES, Alert, Decision, MonitorReport
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.quality import quality
from drivetrain.monitor.reporting.account import Account, metric_of_windows
from drivetrain.monitor.reporting.page import to_html, to_json

WRITERS = {".html": lambda account: to_html(account).encode(), ".json": to_json}


def report(project: Definitions, endpoint: str | None, *, since: Micros | None, until: Micros | None) -> Account:
    """See :meth:`Project.report`.

    Raises:
        UsageError: The time ends before it starts.
    """
    found = project.find_endpoint(endpoint)
    catalog = project.store.catalog
    if since is not None and until is not None and until <= since:
        raise UsageError("a report's time must end after it starts")
    windows = [
        one
        for one in reversed(catalog.find(MonitorReport, found.name))
        if (since is None or one.until > since) and (until is None or one.since < until)
    ]
    now = clock.now()
    first = min((one.since for one in windows), default=now) if since is None else since
    last = max((one.until for one in windows), default=max(now, first)) if until is None else until
    closing = last if until is not None else max(last, now)  # what came since the last window belongs to the present
    alerts = [
        one
        for one in catalog.find(Alert, found.name)
        if one.shown and one.at <= closing and (one.resolved is None or one.resolved >= first)
    ]
    decisions = {
        one.id: one
        for subject in dict.fromkeys((found.name, found.model.name))
        for one in catalog.find(Decision, subject)
        if first <= one.at <= closing
    }
    return Account(
        project=project.name,
        objective=project.objective,
        endpoint=found.name,
        model=found.model.name,
        metric=metric_of_windows(project.metric, windows),
        since=first,
        until=last,
        made=now,
        windows=tuple(sorted(windows, key=lambda one: (one.since, one.version))),
        alerts=tuple(sorted(alerts, key=lambda one: (one.state != "open", -SEVERITIES.index(one.severity), -one.at))),
        decisions=tuple(sorted(decisions.values(), key=lambda one: (one.at, one.id), reverse=True)),
        quality=tuple(quality(alerts)),
    )


def write_report(account: Account, output: str | Path) -> Path:
    """Writes a report, as one page or as JSON by the file's ending; it is there whole or not at all.

    Raises:
        UsageError: The ending says neither.
        StoreError: It can't be written there.
    """
    path = Path(output)
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise UsageError("a report can't be written so", found=path.name, expected=" or ".join(WRITERS))
    aside = path.with_name(f".{path.name}.part")
    try:
        aside.write_bytes(writer(account))
        aside.replace(path)
    except OSError as error:
        raise StoreError(f"the report can't be written to {path}: {error.strerror or error}") from None
    return path


class Sparse(msgspec.Struct, frozen=True, kw_only=True):
    """A window in the few figures that a line of status has room for."""

    since: Micros
    until: Micros
    version: int
    predictions: int
    labelled: int
    metric: float | None
    low: float | None
    high: float | None
    drift: float | None
    drifted: int
    latency_p99_us: float


def course(windows: list[MonitorReport], metric: str) -> list[Sparse]:
    """Windows in few figures, in their order; drift in multiples of its threshold."""
    found = []
    for one in windows:
        measure = one.performance.get(metric)
        ratios = [each.value / each.threshold for each in one.drift if each.threshold > 0]
        found.append(
            Sparse(
                since=one.since,
                until=one.until,
                version=one.version,
                predictions=one.predictions,
                labelled=one.labelled,
                metric=measure.value if measure else None,
                low=measure.low if measure else None,
                high=measure.high if measure else None,
                drift=max(ratios, default=None),
                drifted=sum(each.drifted for each in one.drift),
                latency_p99_us=one.latency_p99_us,
            )
        )
    return found
