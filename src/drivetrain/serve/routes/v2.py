"""``/v2``: Open Inference Protocol V2 over HTTP, in JSON and bytes; a model goes by its endpoint's name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.openapi import v2 as described
from drivetrain.serve.protocols import v2
from drivetrain.serve.protocols.tensor import DATATYPES
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.operations import require_ready
from drivetrain.serve.routes.route import Handler, Route

_BASE = "/v2/models/"


def routes(planes: Mapping[str, Dataplane], settings: ServeSettings) -> list[Route]:
    """Every route of the protocol."""
    server = {"name": "drivetrain", "version": installed("drivetrain"), "extensions": ["binary_tensor_data"]}

    async def about(_: Request) -> Response:
        return ok(server)

    async def live(_: Request) -> Response:
        return ok({"live": True})

    async def ready(_: Request) -> Response:
        require_ready(planes)
        return ok({"ready": True})

    made = [
        Route("GET", "/v2", about, "", "describe", described.SERVER),
        Route("GET", "/v2/health/live", live, "", "health", described.LIVE),
        Route("GET", "/v2/health/ready", ready, "", "health", described.READY),
    ]
    for name, plane in planes.items():
        plan = plane.plan
        made += [
            Route("GET", f"{_BASE}{name}", _metadata(plane), name, "describe", described.metadata(plan)),
            Route("GET", f"{_BASE}{name}/ready", _ready(plane), name, "health", described.ready(plan)),
            Route(
                "POST",
                f"{_BASE}{name}/infer",
                _infer(plane, settings),
                name,
                "predict",
                described.infer(plan, settings),
            ),
        ]
    return made


def _metadata(plane: Dataplane) -> Handler:
    inputs = [
        {
            "name": field.name,
            "datatype": DATATYPES[field.type],
            "shape": [-1],
            "parameters": {"nullable": field.nullable},
        }
        for field in plane.plan.fields
    ]

    async def metadata(_: Request) -> Response:
        champion = plane.serving.champion
        return ok(
            {
                "name": plane.plan.name,
                "versions": [] if champion is None else [str(champion.record.version)],
                "platform": "drivetrain",
                "inputs": inputs,
                "outputs": [{"name": v2.OUTPUT, "datatype": "FP64", "shape": [-1]}],
            }
        )

    return metadata


def _ready(plane: Dataplane) -> Handler:
    async def ready(_: Request) -> Response:
        require_ready({plane.plan.name: plane})
        return ok({"name": plane.plan.name, "ready": True})

    return ready


def _infer(plane: Dataplane, settings: ServeSettings) -> Handler:
    async def infer(request: Request) -> Response:
        call, binary = v2.inference(request, plane.schema, settings)
        return v2.told(plane.plan.name, await plane.predict(call), binary=binary)

    return infer
