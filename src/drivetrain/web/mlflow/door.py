"""Where MLflow's clients come in: each of their paths to who answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from drivetrain.core.errors import RequestError
from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.mlflow import artifacts, experiments, logged, metrics, models, runs, versions
from drivetrain.web.mlflow.errors import NotSpoken
from drivetrain.web.mlflow.route import Route, asked_in, asked_of
from drivetrain.web.security import same_origin

router = APIRouter(include_in_schema=False)

ROUTES: tuple[Route, ...] = (
    *experiments.ROUTES,
    *runs.ROUTES,
    *metrics.ROUTES,
    *artifacts.ROUTES,
    *logged.ROUTES,
    *models.ROUTES,
    *versions.ROUTES,
)
UNSPOKEN: Mapping[str, str] = {
    "traces": "traces of language models",
    "unified-traces": "traces of language models",
    "get-online-trace-details": "traces of language models",
    "assessments": "assessments of traces",
    "issues": "issues of traces",
    "label-schemas": "label schemas",
    "review-queues": "review queues",
    "datasets": "evaluation datasets of language models",
    "scorers": "scorers of language models",
    "gateway": "the gateway to language models",
    "prompt-optimization": "prompt optimisation",
    "workspaces": "workspaces",
    "webhooks": "webhooks",
    "jobs": "jobs",
}
"""First part of a path → what it is about, of what MLflow's API has and is not spoken here."""
_SERVER = {"workspaces_enabled": False, "multipart_uploads_enabled": False, "multipart_downloads_enabled": False}
_LARGEST = 32 * 1024 * 1024


class NoSuchEndpoint(RequestError):
    """A path or method that MLflow's API does not have, or that is not known here."""

    status = 404


@router.api_route("/api/2.0/mlflow/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
@router.api_route("/api/3.0/mlflow/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
@router.api_route("/ajax-api/2.0/mlflow/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
async def call(request: Request, desk: DeskOf, path: str) -> Response:
    """One call of a client."""
    if request.method != "GET":
        same_origin(request)
    if path == "server-info" and request.method == "GET":
        return answer(_SERVER)
    route, parts = _find(request.method, path.strip("/"))
    if request.method == "GET":
        asked = asked_of(request.query_params.multi_items(), route.asks, parts)
    else:
        asked = asked_in(await _body(request), route.asks, parts)
    return answer(await run_in_threadpool(route.answer, desk, asked))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise RequestError("the request is too large", expected=f"at most {_LARGEST:,} bytes", do="Log in batches")
    return bytes(body)


@cache
def _plain() -> dict[tuple[str, str], Route]:
    return {(route.method, route.path): route for route in ROUTES if "{" not in route.path}


@cache
def _patterns() -> list[tuple[str, re.Pattern[str], Route]]:
    return [
        (route.method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)), route)
        for route in ROUTES
        if "{" in route.path
    ]


def _find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    route = _plain().get((method, path))
    if route is not None:
        return route, {}
    for wanted, pattern, found in _patterns():
        match = pattern.fullmatch(path)
        if wanted == method and match is not None:
            return found, match.groupdict()
    about = UNSPOKEN.get(path.partition("/")[0])
    if about is not None:
        raise NotSpoken(
            f"drivetrain does not keep {about}",
            found=f"{method} {path[:120]}",
            do="Set another tracking server for these; runs, models and their files are kept here",
        )
    raise NoSuchEndpoint(f"there is no endpoint {method} {path[:120]}", do="docs/mlflow.md lists those there are")
