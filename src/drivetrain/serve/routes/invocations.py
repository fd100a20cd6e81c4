"""``/invocations`` and ``/ping``, as MLflow's scoring server and SageMaker's containers have them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version as installed

from drivetrain.core.errors import NotFound, NotReady, RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.instance import show
from drivetrain.serve.openapi import invocations as described
from drivetrain.serve.openapi import operations
from drivetrain.serve.protocols.content import prefers_csv
from drivetrain.serve.protocols.csv import csv_text
from drivetrain.serve.protocols.invocations import invocation
from drivetrain.serve.protocols.v2 import OUTPUT
from drivetrain.serve.request import Request
from drivetrain.serve.response import Headers, Response, ok, traced
from drivetrain.serve.routes.operations import ready
from drivetrain.serve.routes.route import Route

TARGET_HEADERS = ("x-drivetrain-endpoint", "x-amzn-sagemaker-target-model")
_CSV: Headers = [("content-type", "text/csv; charset=utf-8; header=present")]
_PLAIN: Headers = [("content-type", "text/plain; charset=utf-8")]


def routes(planes: Mapping[str, Dataplane], settings: ServeSettings) -> list[Route]:
    """Every route of the protocol; which endpoint is meant is said by a header, where there are several."""
    version = Response(200, installed("drivetrain").encode(), _PLAIN)

    async def ping(_: Request) -> Response:
        if not ready(planes):  # anybody may ask, so no endpoint is named
            raise NotReady("not every endpoint has a version to answer with")
        return ok({"ready": True})

    async def about(_: Request) -> Response:
        return version

    async def invocations(request: Request) -> Response:
        plane = _meant(request, planes)
        answer = await plane.predict(invocation(request, plane.schema, settings))
        if prefers_csv(request):
            return traced(answer, csv_text(answer.predictions, OUTPUT), _CSV)
        return traced(answer, {"predictions": answer.predictions})

    plans = [plane.plan for plane in planes.values()]
    return [
        Route("GET", "/ping", ping, "", "health", operations.PING),
        Route("GET", "/health", ping, "", "health", operations.PING),
        Route("GET", "/version", about, "", "describe", operations.VERSION),
        Route(
            "POST",
            "/invocations",
            invocations,
            plans[0].name if len(plans) == 1 else "",
            "predict",
            described.invocations(plans, settings, TARGET_HEADERS[0]),
        ),
    ]


def _meant(request: Request, planes: Mapping[str, Dataplane]) -> Dataplane:
    named = {header: name for header in TARGET_HEADERS if (name := request.headers.get(header)) is not None}
    if len(set(named.values())) > 1:
        raise RequestError("the headers name two endpoints", found=show(named), expected="one")
    for header, name in named.items():
        if name not in planes:
            raise NotFound(
                "there is no such endpoint", field=header, found=show(name), expected=f"one of {', '.join(planes)}"
            )
        return planes[name]
    if len(planes) != 1:
        raise RequestError(
            "there are several endpoints, and the request names none",
            field=TARGET_HEADERS[0],
            found="nothing",
            expected=f"one of {', '.join(planes)}",
        )
    return next(iter(planes.values()))
