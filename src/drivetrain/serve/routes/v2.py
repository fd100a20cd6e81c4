"""``/v2``: Open Inference Protocol V2 over HTTP with JSON; a model goes by its endpoint's name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed

import msgspec

from drivetrain.core.errors import NotFound
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.operations import require_ready
from drivetrain.serve.routes.route import Handler, Route
from drivetrain.serve.tensors import DATATYPES, OUTPUT, infer_call, outputs

_BASE = "/v2/models/"


def routes(planes: Mapping[str, Dataplane], settings: ServeSettings) -> list[Route]:
    """Every route of the protocol but those that name a version; see :func:`versioned`."""
    server = {"name": "drivetrain", "version": installed("drivetrain"), "extensions": []}

    async def about(_: Request) -> Response:
        return ok(server)

    async def live(_: Request) -> Response:
        return ok({"live": True})

    async def ready(_: Request) -> Response:
        require_ready(planes)
        return ok({"ready": True})

    made = [
        Route("GET", "/v2", about, "", "describe"),
        Route("GET", "/v2/health/live", live, "", "health"),
        Route("GET", "/v2/health/ready", ready, "", "health"),
    ]
    for name, plane in planes.items():
        made += [
            Route("GET", f"{_BASE}{name}", _metadata(plane), name, "describe"),
            Route("GET", f"{_BASE}{name}/ready", _ready(plane), name, "health"),
            Route("POST", f"{_BASE}{name}/infer", _infer(plane, settings), name, "predict"),
        ]
    return made


def unversioned(path: str, planes: Mapping[str, Dataplane]) -> str:
    """The path without ``/versions/{v}``, if that is the version that answers; any other path as it is.

    Raises:
        NotFound: Another version answers.
    """
    if not path.startswith(_BASE):
        return path
    name, _, rest = path.removeprefix(_BASE).partition("/")
    if name not in planes or not rest.startswith("versions/"):
        return path
    asked, slash, action = rest.removeprefix("versions/").partition("/")
    champion = planes[name].serving.champion
    answers = "none" if champion is None else str(champion.record.version)
    if asked != answers:
        raise NotFound(f"model {name} is not served in that version", found=asked, expected=answers)
    return f"{_BASE}{name}{slash}{action}"


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
                "outputs": [{"name": OUTPUT, "datatype": "FP64", "shape": [-1]}],
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
        answer = await plane.predict(infer_call(request.body, plane.schema, settings))
        told: dict[str, object] = {
            "model_name": plane.plan.name,
            "model_version": str(answer.model_version),
            "id": answer.request_id,
            "outputs": outputs(answer.predictions),
        }
        if answer.features_away is not msgspec.UNSET:
            told["parameters"] = {"features_away": ",".join(answer.features_away)}
        return ok(told)

    return infer
