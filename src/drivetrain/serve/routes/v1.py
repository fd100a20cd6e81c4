"""``/v1/models``: the V1 protocol of KServe, TensorFlow Serving and Vertex AI; a model goes by its endpoint's name."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.openapi import v1 as described
from drivetrain.serve.protocols import v1
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok, traced
from drivetrain.serve.routes.operations import require_ready
from drivetrain.serve.routes.route import Handler, Route

_BASE = "/v1/models"


def routes(planes: Mapping[str, Dataplane], settings: ServeSettings) -> list[Route]:
    """Every route of the protocol."""

    async def index(_: Request) -> Response:
        return ok({"models": sorted(planes)})

    made = [Route("GET", _BASE, index, "", "describe", described.INDEX)]
    for name, plane in planes.items():
        made += [
            Route("GET", f"{_BASE}/{name}", _status(plane), name, "health", described.status(plane.plan)),
            Route(
                "POST",
                f"{_BASE}/{name}:predict",
                _predict(plane, settings),
                name,
                "predict",
                described.predict(plane.plan, settings),
            ),
        ]
    return made


def _status(plane: Dataplane) -> Handler:
    async def status(_: Request) -> Response:
        require_ready({plane.plan.name: plane})
        champion = plane.serving.champion
        version = "" if champion is None else str(champion.record.version)
        return ok(
            {
                "name": plane.plan.name,
                "ready": True,
                "model_version_status": [
                    {"version": version, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
                ],
            }
        )

    return status


def _predict(plane: Dataplane, settings: ServeSettings) -> Handler:
    async def predict(request: Request) -> Response:
        call, member = v1.asked(request, plane.schema, settings)
        answer = await plane.predict(call)
        return traced(answer, {member: answer.predictions})

    return predict
