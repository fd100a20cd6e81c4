"""What goes back over the wire: status, headers and body, and the one shape every error has."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from drivetrain.core.errors import DrivetrainError, FeatureError, RequestError, StoreError
from drivetrain.serve.refusal import EngineFailed

Headers = list[tuple[str, str]]

JSON: Headers = [("content-type", "application/json")]
TEXT: Headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
_LATER: Headers = [*JSON, ("retry-after", "1")]

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class Response(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    headers: Headers = JSON


def ok(content: object) -> Response:
    """200 with JSON."""
    return Response(200, _encode(content))


def failure(error: Exception, *, text_only: bool = False) -> Response:
    """An error as JSON ``{"error": {"message", "field", "found", "expected"}}``; never a traceback.

    What the request is to blame for is 4xx; a log or store that can't be used is 503; a model that fails, or a mistake
    of ours, is 500; one that is too slow is 504.

    Args:
        error: What was raised.
        text_only: Whether the protocol wants ``{"error": "message"}``, as V2 does.
    """
    if isinstance(error, RequestError):
        status = error.status
    elif isinstance(error, FeatureError):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    elif isinstance(error, EngineFailed):
        status = error.status
    elif isinstance(error, StoreError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, DrivetrainError):
        content = {
            "message": str(error),
            "field": getattr(error, "field", None),
            "found": _plain(error.found),
            "expected": _plain(error.expected),
        }
    else:
        _log.error("a request failed unexpectedly", exc_info=error)
        content = {"message": "The server failed on this request.", "field": None, "found": None, "expected": None}
    body = _encode({"error": content["message"] if text_only else content})
    return Response(int(status), body, _LATER if status in {429, 503} else JSON)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
