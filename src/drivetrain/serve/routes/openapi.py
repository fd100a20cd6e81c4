"""``/openapi.json``: what the server is asked and answers, built once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi import operations as described
from drivetrain.serve.openapi.document import Entry, document
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok
from drivetrain.serve.routes.error_shape import error_shape
from drivetrain.serve.routes.route import Route
from drivetrain.serve.routes.versioned import versioned

PATH = "/openapi.json"


def routes(
    others: Iterable[Route], plans: Sequence[EndpointPlan], settings: ServeSettings, public: Collection[str]
) -> list[Route]:
    """The route of the document.

    Args:
        others: Every other route there is.
        plans: The endpoints.
        settings: Limits, and whether tokens are asked for.
        public: Paths that anybody may ask.
    """

    async def openapi(_: Request) -> Response:
        return answer

    own = Route("GET", PATH, openapi, "", "describe", described.DOCUMENT)
    entries = [
        Entry(route.method, path, route.endpoint, route.operation, error_shape(path), path in public)
        for route in (*others, own)
        for path in (route.path, versioned(route.path))
        if path is not None
    ]
    answer = ok(document(entries, plans, settings))
    return [own]
