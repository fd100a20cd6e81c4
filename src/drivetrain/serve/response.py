"""What goes back over the wire: status, headers and body, and the shapes that errors have."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import quote

import msgspec

from drivetrain.core.errors import DrivetrainError, FeatureError, RequestError, StoreError
from drivetrain.serve.call import Answer
from drivetrain.serve.refusal import EngineFailed

Headers = list[tuple[str, str]]
ErrorShape: TypeAlias = Literal["object", "text", "coded"]
"""``{"error": {"message", "field", "found", "expected"}}``; ``{"error": "message"}``; or MLflow's
``{"error_code", "message"}`` with the other members beside them."""

JSON: Headers = [("content-type", "application/json")]
TEXT: Headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
_LATER: Headers = [*JSON, ("retry-after", "1")]
_CODES = {
    400: "BAD_REQUEST",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

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


def traced(answer: Answer, content: object, kind: Headers = JSON) -> Response:
    """200 for a protocol whose body has no place for the request's id and who answered: headers tell them.

    Args:
        answer: What the headers tell of.
        content: The body: bytes as they are, anything else as JSON.
        kind: The body's type.
    """
    versions = [answer.model_version] if answer.model_versions is msgspec.UNSET else answer.model_versions
    headers = [
        *kind,
        ("x-drivetrain-request-id", quote(answer.request_id)),
        ("x-drivetrain-model-version", ",".join(map(str, dict.fromkeys(versions)))),
    ]
    if answer.failed is not msgspec.UNSET:
        headers.append(("x-drivetrain-failed", ",".join(map(str, answer.failed))))
    if answer.features_away is not msgspec.UNSET:
        headers.append(("x-drivetrain-features-away", ",".join(map(quote, answer.features_away))))
    return Response(200, content if isinstance(content, bytes) else _encode(content), headers)


def failure(error: Exception, shape: ErrorShape = "object") -> Response:
    """An error as JSON in the protocol's shape; never a traceback.

    What the request is to blame for is 4xx; a log or store that can't be used is 503; a model that fails, or a mistake
    of ours, is 500; one that is too slow is 504.
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
    return Response(int(status), _encode(_shaped(content, shape, status)), _LATER if status in {429, 503} else JSON)


def _shaped(content: dict[str, str | None], shape: ErrorShape, status: int) -> dict[str, object]:
    if shape == "text":
        return {"error": content["message"]}
    if shape == "coded":
        return {"error_code": _CODES.get(status, "INVALID_PARAMETER_VALUE"), **content}
    return {"error": content}


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
