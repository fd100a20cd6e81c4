"""``/healthz`` and ``/metrics``."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from drivetrain.core.errors import NotReady
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.log.lag import lag_of
from drivetrain.serve.log.segment import segments
from drivetrain.serve.openapi import operations as described
from drivetrain.serve.reload import Reloader
from drivetrain.serve.request import Request
from drivetrain.serve.response import TEXT, Response, ok
from drivetrain.serve.routes.route import Route
from drivetrain.serve.serving import Serving
from drivetrain.serve.telemetry import Gauge, Meter, Snapshot, exposition
from drivetrain.serve.version import LoadedVersion
from drivetrain.serve.workers import Workers

_log = logging.getLogger(__name__)

_LEVELS = {"queue": "Requests that are being answered, or wait to be.", "arriving": "Bodies on their way."}


def routes(
    planes: Mapping[str, Dataplane],
    meter: Meter,
    workers: Workers,
    reloader: Reloader,
    *,
    private: bool = False,
) -> list[Route]:
    """Every route that operators use.

    Args:
        planes: The endpoints.
        meter: This worker's figures.
        workers: The others'.
        reloader: Who watches the catalog.
        private: Whether ``/healthz`` keeps to itself what is wrong, as it is open to anybody where tokens are on.
    """

    async def health(_: Request) -> Response:
        if private:
            return ok({"live": True, "ready": ready(planes)})
        problems = {name: plane.serving.problems for name, plane in planes.items() if plane.serving.problems}
        return ok({"live": True, "ready": ready(planes), "catalog": reloader.catalog_problem, "problems": problems})

    async def metrics(_: Request) -> Response:
        own = meter.snapshot()
        living = [own, *(note.snapshot for note in workers.living())]
        gauges = [*_gauges(planes, reloader), *_levels(living), *_behind(planes)]
        return Response(200, exposition([own, *(note.snapshot for note in workers.others())], gauges), TEXT)

    return [
        Route("GET", "/healthz", health, "", "health", described.health(private=private)),
        Route("GET", "/metrics", metrics, "", "metrics", described.METRICS),
    ]


def ready(planes: Mapping[str, Dataplane]) -> bool:
    """Whether every endpoint has a version to answer with."""
    return all(plane.serving.champion is not None for plane in planes.values())


def require_ready(planes: Mapping[str, Dataplane]) -> None:
    """Says which endpoint can't answer yet.

    Raises:
        NotReady: At least one can't.
    """
    for name, plane in planes.items():
        if plane.serving.champion is None:
            raise NotReady(
                f"endpoint {name} has no version to answer with",
                found=plane.serving.problems.get("champion", f"no champion of model {plane.plan.model}"),
            )


def _gauges(planes: Mapping[str, Dataplane], reloader: Reloader) -> list[Gauge]:
    served: list[tuple[tuple[str, ...], float]] = []
    waiting: list[tuple[tuple[str, ...], float]] = []
    for name, plane in planes.items():
        served += [
            ((name, role, loaded.record.model), float(loaded.record.version))
            for role, loaded in _roles(plane.serving)
            if loaded is not None
        ]
        waiting.append(((name,), float(sum(_size(path) for path in segments(plane.log.folder)))))
    return [
        Gauge(
            "drivetrain_version",
            "Version that answers, listens in, or stands by.",
            ("endpoint", "role", "model"),
            served,
        ),
        Gauge("drivetrain_log_bytes", "Bytes logged and not compacted away yet.", ("endpoint",), waiting),
        Gauge(
            "drivetrain_catalog_up", "Whether the catalog can be read.", (), [((), float(not reloader.catalog_problem))]
        ),
    ]


def _roles(serving: Serving) -> Iterator[tuple[str, LoadedVersion | None]]:
    yield "champion", serving.champion
    yield "shadow", serving.shadow
    yield "fallback", serving.fallback
    if serving.router is not None:
        for arm in serving.router.policy.arms:
            yield f"arm {arm.name}", serving.arms.get(arm.version) if arm.version else serving.champion


def _levels(living: Sequence[Snapshot]) -> list[Gauge]:
    """What workers hold at this moment, all of them together."""
    names = {name for snapshot in living for name in snapshot.levels}
    sums = {name: sum(snapshot.levels.get(name, 0.0) for snapshot in living) for name in names}
    return [Gauge(f"drivetrain_{name}", _LEVELS[name], (), [((), value)]) for name, value in sorted(sums.items())]


def _behind(planes: Mapping[str, Dataplane]) -> list[Gauge]:
    """How far compaction is behind; left out while the log can't be read."""
    try:
        lags = {name: lag_of(plane.log.folder) for name, plane in planes.items()}
    except OSError as error:
        _log.warning("how far compaction is behind can't be told: %s", error)
        return []
    return [
        Gauge(
            "drivetrain_log_lag_bytes",
            "Bytes logged that are in no table yet.",
            ("endpoint",),
            [((name,), float(lag.bytes)) for name, lag in lags.items()],
        ),
        Gauge(
            "drivetrain_log_lag_seconds",
            "Age of the oldest entry of the log that is in no table yet.",
            ("endpoint",),
            [((name,), lag.seconds) for name, lag in lags.items()],
        ),
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # compacted meanwhile
