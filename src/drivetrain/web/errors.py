"""Errors as answers: JSON under ``/api``, as MLflow's clients read it where they ask, a page elsewhere."""

from __future__ import annotations

import logging

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from drivetrain.core.errors import (
    Conflict,
    DrivetrainError,
    RefusedError,
    RequestError,
    SourceError,
    StoreError,
    UnknownName,
    UsageError,
)
from drivetrain.web.mlflow import errors as mlflow
from drivetrain.web.rendering import environment

_log = logging.getLogger(__name__)


def status_of(error: DrivetrainError) -> int:
    """The HTTP status that says what kind of error it is."""
    if isinstance(error, RequestError):
        return error.status
    kinds = (
        (UnknownName, 404),
        (RefusedError, 409),
        (SourceError, 409),
        (Conflict, 409),
        (UsageError, 422),
        (StoreError, 503),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), 500)


def answer(request: Request, status: int, error: DrivetrainError) -> Response:
    """One error as the caller can read it."""
    if mlflow.is_ours(request.url.path):
        return mlflow.refusal(error, status)
    if request.url.path.startswith("/api/"):
        body = {
            "error": {
                "message": str(error),
                "field": getattr(error, "field", None),
                "found": None if error.found is None else str(error.found),
                "expected": None if error.expected is None else str(error.expected),
            }
        }
        return Response(msgspec.json.encode(body), status, media_type="application/json")
    desk = request.app.state.desk
    text = (
        environment()
        .get_template("error.html")
        .render(project=desk, here=request.url.path, revision=None, status=status, message=str(error))
    )
    return Response(text, status, media_type="text/html")


def handle(app: FastAPI) -> None:
    """Teaches an application to answer every error plainly."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, DrivetrainError)
        return answer(request, status_of(error), error)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        what = f"there is no page at {request.url.path}" if error.status_code == 404 else str(error.detail)
        return answer(request, error.status_code, DrivetrainError(what))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return answer(
            request, 422, RequestError(f"{place}: {first['msg']}", field=place, found=repr(first.get("input"))[:80])
        )

    async def unforeseen(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(
            request, 500, DrivetrainError("this page failed in a way nobody foresaw", do="See the server's log")
        )

    app.add_exception_handler(DrivetrainError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)
