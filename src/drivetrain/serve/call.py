"""One prediction request that has been let in, and its answer."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.serve.instance import Row


@dataclass(slots=True)
class Call:
    """A request whose every instance fits the endpoint's fields.

    Attributes:
        request_id: The caller's, or made here; sent again it is the same request.
        rows: Values of each instance in field order.
        raws: Each instance as it came, JSON.
        ats: The moment each instance is predicted for.
        started: The monotonic clock when the request came, in nanoseconds.
    """

    request_id: str
    rows: list[Row]
    raws: list[msgspec.Raw]
    ats: list[Micros]
    started: int


class Answer(msgspec.Struct, frozen=True):
    """What a caller is told; its fields are the native protocol's."""

    predictions: list[float | list[float]]
    request_id: str
    model_version: int
