"""``/healthz`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drivetrain.core.errors import NotReady
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.log.segment import segments
from drivetrain.serve.reload import Reloader
from drivetrain.serve.request import Request
from drivetrain.serve.response import TEXT, Response, ok
from drivetrain.serve.routes.route import Route
from drivetrain.serve.telemetry import Gauge, Meter, exposition
from drivetrain.serve.workers import Workers


def routes(planes: Mapping[str, Dataplane], meter: Meter, workers: Workers, reloader: Reloader) -> list[Route]:
    """Every route that operators use."""

    async def health(_: Request) -> Response:
        problems = {name: plane.serving.problems for name, plane in planes.items() if plane.serving.problems}
        return ok({"live": True, "ready": ready(planes), "catalog": reloader.catalog_problem, "problems": problems})

    async def metrics(_: Request) -> Response:
        snapshots = [meter.snapshot(), *(note.snapshot for note in workers.others())]
        return Response(200, exposition(snapshots, _gauges(planes, reloader)), TEXT)

    return [Route("GET", "/healthz", health, "", "health"), Route("GET", "/metrics", metrics, "", "metrics")]


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
        for role, loaded in (("champion", plane.serving.champion), ("shadow", plane.serving.shadow)):
            if loaded is not None:
                served.append(((name, role, loaded.record.model), float(loaded.record.version)))
        waiting.append(((name,), float(sum(_size(path) for path in segments(plane.log.folder)))))
    return [
        Gauge("drivetrain_version", "Version that answers, or listens in.", ("endpoint", "role", "model"), served),
        Gauge("drivetrain_log_bytes", "Bytes logged and not compacted away yet.", ("endpoint",), waiting),
        Gauge(
            "drivetrain_catalog_up", "Whether the catalog can be read.", (), [((), float(not reloader.catalog_problem))]
        ),
    ]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # compacted meanwhile
