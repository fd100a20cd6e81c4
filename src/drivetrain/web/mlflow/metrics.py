"""What runs say of themselves: metrics, parameters and tags, and metrics' histories."""

from __future__ import annotations

import msgspec

from drivetrain.core import clock
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Metric
from drivetrain.registry.tracking import runs
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.runs import ById
from drivetrain.web.mlflow.shapes import Pair, Shape

_LONGEST_KEY = 250
_LONGEST_PARAMETER, _LONGEST_TAG = 6_000, 8_000
_MOST_METRICS = 10_000
_LIMIT = 25_000
_ABOUT = ("model_id", "dataset_name", "dataset_digest")
_LARGEST_STEP = 2**63 - 1


class Said(msgspec.Struct):
    """A metric's value, in milliseconds since 1970; now by default."""

    key: str
    value: float
    timestamp: int = -1
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogMetric(Said, kw_only=True):
    """A metric's value, of a run."""

    run_id: str = ""
    run_uuid: str = ""


class LogPair(ById, kw_only=True):
    """A parameter or tag, of a run."""

    key: str
    value: str = ""


class LogBatch(ById):
    """Much at once."""

    metrics: list[Said] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class History(ById, kw_only=True):
    """Of which metric."""

    metric_key: str
    max_results: int = _LIMIT
    page_token: str = ""


class BulkHistory(msgspec.Struct):
    """Of which runs' metric, and between which steps."""

    metric_key: str
    run_id: list[str] = []
    run_ids: list[str] = []
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = _LIMIT


def log_metric(desk: Desk, asked: LogMetric) -> Shape:
    """One value of a metric."""
    runs.log(desk.store, ById(asked.run_id, asked.run_uuid).id, [_metric(asked, clock.now())])
    return {}


def log_parameter(desk: Desk, asked: LogPair) -> Shape:
    """One parameter."""
    runs.log(desk.store, asked.id, parameters=_checked("parameter", [Pair(asked.key, asked.value)]))
    return {}


def set_tag(desk: Desk, asked: LogPair) -> Shape:
    """One tag."""
    runs.log(desk.store, asked.id, tags=_checked("tag", [Pair(asked.key, asked.value)]))
    return {}


def delete_tag(desk: Desk, asked: LogPair) -> Shape:
    """Takes a tag away."""
    runs.untag(desk.store, asked.id, asked.key)
    return {}


def log_batch(desk: Desk, asked: LogBatch) -> Shape:
    """Much at once, all of it or nothing."""
    if len(asked.metrics) > _MOST_METRICS:
        raise UsageError("too many metrics at once", found=len(asked.metrics), expected=f"at most {_MOST_METRICS:,}")
    now = clock.now()
    runs.log(
        desk.store,
        asked.id,
        [_metric(one, now) for one in asked.metrics],
        parameters=_checked("parameter", asked.params),
        tags=_checked("tag", asked.tags),
    )
    return {}


def history(desk: Desk, asked: History) -> Shape:
    """Every value of a metric, a page at a time."""
    runs.find(desk.store, asked.id)
    skip = int(asked.page_token) if asked.page_token.isdecimal() and len(asked.page_token) < 12 else 0
    most = max(1, min(asked.max_results, _LIMIT))
    points = desk.store.run_log.history(asked.id, asked.metric_key, limit=most + 1, skip=skip)
    token = str(skip + most) if len(points) > most else ""
    return {"metrics": [shapes.metric(one) for one in points[:most]], "next_page_token": token}


def bulk_history(desk: Desk, asked: BulkHistory) -> Shape:
    """The values of a metric of several runs; where there are too many, some that lie evenly over the steps."""
    ids = [*asked.run_ids, *asked.run_id]
    if not ids:
        raise UsageError("no run is named", expected="at least one run_id")
    most = max(1, min(asked.max_results, _LIMIT) // len(ids))
    found: list[Shape] = []
    for run_id in ids:
        runs.find(desk.store, run_id)
        points = desk.store.run_log.history(run_id, asked.metric_key, since=asked.start_step, until=asked.end_step)
        found += [shapes.metric(one, run_id=run_id) for one in thinned(points, most)]
    return {"metrics": found}


def thinned(points: list[Metric], most: int) -> list[Metric]:
    """At most so many points, the first and the last among them."""
    if len(points) <= most:
        return points
    if most == 1:
        return points[-1:]
    return [points[round(at * (len(points) - 1) / (most - 1))] for at in range(most)]


def _metric(said: Said, now: int) -> Metric:
    _check_key("metric", said.key)
    if not -_LARGEST_STEP <= said.step <= _LARGEST_STEP or abs(said.timestamp) > _LARGEST_STEP // 1000:
        raise UsageError(f"metric {said.key!r} has a step or time out of range", found=(said.step, said.timestamp))
    about = {name: text for name in _ABOUT if (text := getattr(said, name))}
    return Metric(
        key=said.key,
        value=said.value,
        step=said.step,
        at=now if said.timestamp < 0 else said.timestamp * 1000,
        about=msgspec.json.encode(about).decode() if about else "",
    )


def _checked(sort: str, said: list[Pair]) -> dict[str, str]:
    longest = _LONGEST_TAG if sort == "tag" else _LONGEST_PARAMETER
    found: dict[str, str] = {}
    for one in said:
        _check_key(sort, one.key)
        if len(one.value) > longest or "\x00" in one.value:
            raise UsageError(
                f"the value of {sort} {one.key!r} can't be kept",
                found=f"{len(one.value):,} characters",
                expected=f"at most {longest:,}, none of them null",
                do="Log it as an artifact",
            )
        if sort == "parameter" and found.get(one.key, one.value) != one.value:
            raise UsageError(f"parameter {one.key!r} is there twice", found=f"{one.value!r} and {found[one.key]!r}")
        found[one.key] = one.value
    return found


def _check_key(sort: str, key: str) -> None:
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise UsageError(
            f"not a name of a {sort}", found=repr(key[:80]), expected=f"1 to {_LONGEST_KEY} characters that can be seen"
        )


ROUTES = (
    Route("POST", "runs/log-metric", LogMetric, log_metric),
    Route("POST", "runs/log-parameter", LogPair, log_parameter),
    Route("POST", "runs/set-tag", LogPair, set_tag),
    Route("POST", "runs/delete-tag", LogPair, delete_tag),
    Route("POST", "runs/log-batch", LogBatch, log_batch),
    Route("GET", "metrics/get-history", History, history),
    Route("GET", "metrics/get-history-bulk", BulkHistory, bulk_history),
    Route("GET", "metrics/get-history-bulk-interval", BulkHistory, bulk_history),
)
