"""Refusals: one response for each status and each protocol's shape of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from drivetrain.serve.openapi.schema import TEXT, Schema, nullable, record, ref
from drivetrain.serve.response import ErrorShape

_SAID: Mapping[str, Schema] = {
    "message": {**TEXT, "description": "What is wrong, what was found, what was expected, and what to do next."},
    "field": {**nullable(TEXT), "description": "Path of the offending field, such as instances[0].carrier."},
    "found": nullable(TEXT),
    "expected": nullable(TEXT),
}
SCHEMAS: Mapping[str, Schema] = {
    "Refusal.object": record({"error": record(_SAID)}),
    "Refusal.text": record({"error": TEXT}),
    "Refusal.coded": record({"error_code": TEXT, **_SAID}),
}
"""The three shapes of errors: the native protocol's, that of V1 and V2, and MLflow's."""

_WORDS: Mapping[int, str] = {
    400: "The body can't be read: it is not of its type, or not whole.",
    401: "No token, or one that is not good.",
    403: "The token is for something else.",
    404: "There is no such endpoint or version.",
    405: "The path is known, the method is not.",
    408: "The body took too long to arrive.",
    413: "More bytes or rows than one request may have.",
    415: "The body's type or encoding is one that is not taken here.",
    422: "The body can be read and does not fit; the message names the field.",
    429: "More requests than may wait, or than were agreed.",
    500: "The model failed, and nobody stood in for it.",
    503: "Nothing may answer at the moment: no version, or the log or a store is away.",
    504: "The model did not answer before the deadline.",
}
_RETRY: Mapping[str, Any] = {
    "Retry-After": {
        "description": "Seconds after which to come again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string", "const": "Bearer"}}},
    405: {"Allow": {"description": "The methods that are.", "required": True, "schema": TEXT}},
    429: _RETRY,
    503: _RETRY,
}


def responses() -> dict[str, dict[str, Any]]:
    """Every refusal, by the name it goes by among the components."""
    return {
        _name(status, shape): {
            "description": words,
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
            "content": {"application/json": {"schema": ref(f"Refusal.{shape}")}},
        }
        for shape in get_args(ErrorShape)
        for status, words in _WORDS.items()
    }


def refusal(status: int, shape: ErrorShape) -> dict[str, str]:
    """A refusal by its name among the components."""
    return {"$ref": f"#/components/responses/{_name(status, shape)}"}


def _name(status: int, shape: ErrorShape) -> str:
    return f"{status}.{shape}"
