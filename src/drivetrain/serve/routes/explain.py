"""``/v1/endpoints/{name}/explain``: why instances are answered as they are."""

from __future__ import annotations

from msgspec.structs import replace

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import predict_call
from drivetrain.serve.explain.explainer import Explainer, Explainers
from drivetrain.serve.openapi import native as described
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.route import Handler, Route


def routes(explainers: Explainers, settings: ServeSettings) -> list[Route]:
    """A route for every endpoint."""
    limits = replace(settings, max_rows=min(settings.max_rows, settings.explain_rows))
    return [
        Route(
            "POST",
            f"/v1/endpoints/{name}/explain",
            _explain(explainer, limits),
            name,
            "explain",
            described.explain(explainer.plane.plan, limits),
        )
        for name, explainer in explainers.by_name.items()
    ]


def _explain(explainer: Explainer, limits: ServeSettings) -> Handler:
    async def explain(request: Request) -> Response:
        return ok(await explainer.explain(predict_call(request.body, explainer.plane.schema, limits)))

    return explain
