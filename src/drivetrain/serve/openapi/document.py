"""The document: every operation with everything it may answer.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version as installed
from typing import Any, NamedTuple

import msgspec

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.call import Answer
from drivetrain.serve.explain.answer import Explained
from drivetrain.serve.openapi.fields import instance, instance_name
from drivetrain.serve.openapi.operation import Content, Operation
from drivetrain.serve.openapi.refusals import SCHEMAS, refusal, responses
from drivetrain.serve.openapi.schema import TEXT
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.response import ErrorShape

_PLACES = re.compile(r"{(\w+)}")
_SERVER = "server"


class Entry(NamedTuple):
    """An operation where it is.

    Attributes:
        method: Its method.
        path: Its path; ``{version}`` stands for the version that answers.
        endpoint: The endpoint it is about; or empty.
        operation: What it takes and gives.
        shape: How its errors look.
        public: Whether anybody may ask, with tokens or without.
    """

    method: str
    path: str
    endpoint: str
    operation: Operation
    shape: ErrorShape
    public: bool


def document(entries: Iterable[Entry], plans: Sequence[EndpointPlan], settings: ServeSettings) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry, settings)
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "drivetrain",
            "version": installed("drivetrain"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": _about(settings),
        },
        "tags": [
            *({"name": plan.name, "description": plan.description or f"Model {plan.model}."} for plan in plans),
            {"name": _SERVER, "description": "The server itself."},
        ],
        "paths": paths,
        "components": {"schemas": _schemas(plans), "responses": responses()},
    }
    if settings.tokens == "on":
        made["security"] = [{"token": []}]
        made["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "Made by drivetrain token create."}
        }
    return made


def _about(settings: ServeSettings) -> str:
    return (
        f"A request has at most {settings.max_bytes} bytes and {settings.max_rows} rows; a larger one is answered 413. "
        f"Its body must arrive within {settings.body_seconds:g} seconds; a slower one is answered 408. "
        "Every path that takes GET takes HEAD too. Any other method is answered 405, any other path 404, and both in "
        "the shape that errors have there."
    )


def _schemas(plans: Sequence[EndpointPlan]) -> dict[str, Any]:
    _, found = msgspec.json.schema_components([Answer, Explained], ref_template="#/components/schemas/{name}")
    answers = _evened(found)
    return {**{instance_name(plan): instance(plan) for plan in plans}, **answers, **SCHEMAS}


def _operation(entry: Entry, settings: ServeSettings) -> dict[str, Any]:
    operation = entry.operation
    parameters = [*map(_place, _PLACES.findall(entry.path)), *operation.parameters]
    made: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{entry.method.lower()}{entry.path}"),
        "summary": operation.summary,
        "tags": [entry.endpoint or _SERVER],
        "responses": {
            "200": {
                "description": "The answer.",
                **({"headers": operation.headers} if operation.headers else {}),
                "content": _media(operation.answer),
            },
            **{str(status): refusal(status, entry.shape) for status in sorted(_refusals(entry, settings))},
        },
    }
    if operation.description:
        made["description"] = operation.description
    if parameters:
        made["parameters"] = parameters
    if operation.body:
        made["requestBody"] = {"required": True, "content": _media(operation.body)}
    if entry.public and settings.tokens == "on":
        made["security"] = []
    return made


def _refusals(entry: Entry, settings: ServeSettings) -> set[int]:
    found = {500, *entry.operation.refuses}
    if entry.method == "POST":
        found |= {400, 408, 413, 422, 429, 503}
    if _PLACES.search(entry.path):
        found.add(404)
    if not entry.public and settings.tokens == "on":
        found |= {401, 403, 429, 503}
    elif not entry.public and settings.rate:
        found.add(429)
    return found


def _place(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": "The version that answers; any other is answered 404.",
        "schema": {**TEXT, "pattern": "^[1-9][0-9]*$"},
    }


def _media(contents: Mapping[str, Content]) -> dict[str, Any]:
    return {
        kind: {"schema": content.schema} | ({} if content.example is None else {"example": content.example})
        for kind, content in contents.items()
    }


def _evened(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """A schema whose tuples of one kind are arrays of that length: the same values, in words that all readers know."""
    if isinstance(schema, list):
        return [_evened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _evened(value) for name, value in schema.items()}
    kinds = made.get("prefixItems", [])
    if kinds and all(kind == kinds[0] for kind in kinds):
        del made["prefixItems"]
        made["items"] = kinds[0]
    return made
