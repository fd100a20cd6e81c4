"""JSON answers of the control API."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response


def answer(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - whatever msgspec can encode
    """A value as JSON; records become objects, NaN becomes null, moments stay microseconds."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
