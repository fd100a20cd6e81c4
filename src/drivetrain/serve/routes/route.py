"""A path, a method, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from drivetrain.serve.openapi.operation import Operation
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
"""Takes a request and answers, or raises an error of drivetrain's tree."""


@dataclass(frozen=True, slots=True)
class Route:
    """One thing a caller may ask.

    Attributes:
        method: ``GET`` or ``POST``.
        path: The whole path.
        handler: Who answers.
        endpoint: The endpoint it is about, for metrics; or empty.
        name: What it does, for metrics; ``predict`` is timed and counts against the queue.
        operation: What it takes and gives, for ``/openapi.json``.
    """

    method: str
    path: str
    handler: Handler
    endpoint: str
    name: str
    operation: Operation
