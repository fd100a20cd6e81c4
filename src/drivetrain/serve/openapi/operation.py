"""One operation: what a route takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from drivetrain.serve.openapi.schema import Schema

Parameter: TypeAlias = Mapping[str, Any]
"""A parameter, as OpenAPI writes it."""


class Content(NamedTuple):
    """A body.

    Attributes:
        schema: What it is.
        example: One that the server takes, or gives; none where nothing would be learned from it.
    """

    schema: Schema
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a route takes and gives. What any route of its method may refuse with is not said again.

    Attributes:
        summary: A few words.
        answer: Media type → body of the answer 200.
        description: What the words leave out.
        parameters: Headers it reads.
        body: Media type → body it takes; none for GET.
        headers: Name → header of the answer 200, as OpenAPI writes it.
        refuses: Statuses of refusals that not every route of its method has.
    """

    summary: str
    answer: Mapping[str, Content]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Content] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refuses: frozenset[int] = frozenset()


def in_json(schema: Schema, example: Any = None) -> Mapping[str, Content]:  # noqa: ANN401 - any JSON
    """A body in JSON."""
    return {"application/json": Content(schema, example)}
