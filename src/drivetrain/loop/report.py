"""A report of one endpoint over a time, from the catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import Micros, micros_of
from drivetrain.core.errors import StoreError, UsageError
from drivetrain.core.records import SEVERITIES, Alert, DataReport, Decision, MonitorReport
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.quality import quality
from drivetrain.monitor.reporting.account import Account, metric_of_windows
from drivetrain.monitor.reporting.data_account import DataAccount
from drivetrain.monitor.reporting.page import to_html, to_json

R = TypeVar("R", MonitorReport, DataReport)
Told = Account | DataAccount

WRITERS: dict[str, Callable[[Told], bytes]] = {
    ".html": lambda account: to_html(account).encode(),
    ".json": to_json,
}


def report(
    project: Definitions, endpoint: str | None, *, since: Micros | str | None, until: Micros | str | None
) -> Told:
    """See :meth:`Project.report`.

    Raises:
        UsageError: The time ends before it starts.
    """
    if endpoint in project.watched:
        return _of_data(project, endpoint, _asked(since, until))
    return account(project, endpoint, since=since, until=until)


def account(
    project: Definitions, endpoint: str | None, *, since: Micros | str | None, until: Micros | str | None
) -> Account:
    """The report of an endpoint.

    Raises:
        UnknownName: There is no such endpoint.
        UsageError: The time ends before it starts.
    """
    asked = _asked(since, until)
    found = project.find_endpoint(endpoint)
    windows = _within(project.store.catalog.find(MonitorReport, found.name), *asked)
    first, last, closing, now = _time(windows, *asked)
    alerts = _alerts(project, found.name, first, closing)
    return Account(
        project=project.name,
        objective=project.objective,
        endpoint=found.name,
        model=found.model.name,
        metric=metric_of_windows(project.metric, windows),
        since=first,
        until=last,
        made=now,
        closing=closing,
        windows=tuple(sorted(windows, key=lambda one: (one.since, one.version))),
        alerts=alerts,
        decisions=_decisions(project, (found.name, found.model.name), first, closing),
        quality=tuple(quality(alerts)),
    )


def _of_data(project: Definitions, watched: str, asked: tuple[Micros | None, Micros | None]) -> DataAccount:
    windows = _within(project.store.catalog.find(DataReport, watched), *asked)
    first, last, closing, now = _time(windows, *asked)
    alerts = _alerts(project, watched, first, closing)
    return DataAccount(
        project=project.name,
        objective=project.objective,
        endpoint=watched,
        since=first,
        until=last,
        made=now,
        windows=tuple(sorted(windows, key=lambda one: one.since)),
        alerts=alerts,
        decisions=_decisions(project, (watched,), first, closing),
        quality=tuple(quality(alerts)),
    )


def _within(found: list[R], since: Micros | None, until: Micros | None) -> list[R]:
    return [
        one for one in reversed(found) if (since is None or one.until > since) and (until is None or one.since < until)
    ]


def _asked(since: Micros | str | None, until: Micros | str | None) -> tuple[Micros | None, Micros | None]:
    first, last = (None if at is None else micros_of(at) for at in (since, until))
    if first is not None and last is not None and last <= first:
        raise UsageError("a report's time must end after it starts")
    return first, last


def _time(windows: Sequence[R], since: Micros | None, until: Micros | None) -> tuple[Micros, Micros, Micros, Micros]:
    """Start and end of the time reported on; until when alerts and decisions belong to it; and the present."""
    now = clock.now()
    first = min((one.since for one in windows), default=now) if since is None else since
    if until is not None:
        return first, until, until, now
    last = max((one.until for one in windows), default=max(now, first))
    return first, last, max(last, now), now  # what came since the last window belongs to the present


def _alerts(project: Definitions, about: str, first: Micros, last: Micros) -> tuple[Alert, ...]:
    """Alerts that were open in a time, gravest first."""
    alerts = [
        one
        for one in project.store.catalog.find(Alert, about)
        if one.shown and one.at <= last and (one.resolved is None or one.resolved >= first)
    ]
    return tuple(sorted(alerts, key=lambda one: (one.state != "open", -SEVERITIES.index(one.severity), -one.at)))


def _decisions(project: Definitions, about: Sequence[str], first: Micros, last: Micros) -> tuple[Decision, ...]:
    """What was decided in a time, newest first."""
    found = {
        one.id: one
        for subject in dict.fromkeys(about)
        for one in project.store.catalog.find(Decision, subject)
        if first <= one.at <= last
    }
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.id), reverse=True))


def write_report(account: Told, output: str | Path) -> Path:
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
