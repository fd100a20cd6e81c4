"""What the tests of the protocols share: fields of every type, and requests with headers."""

from __future__ import annotations

import json
from typing import Any

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.plan import RequestField
from drivetrain.serve.request import Request
from serve.fakes import Door, Scope, Wire

SETTINGS = ServeSettings(max_rows=1000, allow_at=True)
KINDS = InstanceSchema(
    [
        RequestField("text", "string"),
        RequestField("count", "int"),
        RequestField("score", "float", nullable=True),
        RequestField("flag", "bool"),
        RequestField("moment", "time"),
        RequestField("day", "date", nullable=True),
    ]
)
KIND = {
    "text": "naïve",
    "count": 7,
    "score": 0.5,
    "flag": True,
    "moment": "2013-07-01T09:30:00Z",
    "day": "2013-07-01",
}
BAD_BODIES = {
    "no JSON": b"{",
    "no UTF-8": b'{"instances": [{"flight_id": "\xff\xfe"}]}',
    "invalid UTF-8 alone": b"\xff\xfe\x00",
    "deep": b'{"instances": ' + b"[" * 100_000,
    "deep where ignored": b'{"parameters": ' + b"[" * 100_000,
    "NaN": b'{"instances": [{"distance": NaN}]}',
    "Infinity": b'{"inputs": {"distance": [Infinity]}}',
    "too large a number": b'{"inputs": {"distance": [1e999]}}',
    "nothing": b"",
    "a list": b"[1, 2]",
}


def of(content: Any, **headers: str) -> Request:
    """A request as a route is given it; underscores in header names are dashes."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Request({name.replace("_", "-"): value for name, value in headers.items()}, body)


def send(door: Door, path: str, content: Any, method: str = "POST", **headers: str) -> Wire:
    """Asks an application with headers."""
    request = of(content, **headers)
    wire = Wire(request.body)
    scope = Scope(method, path, {"content-length": str(len(request.body)), **request.headers})  # type: ignore[dict-item]
    door.loop.run_until_complete(door.app.__rsgi__(scope, wire))  # type: ignore[arg-type]
    return wire


def told(wire: Wire) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    return wire.status, json.loads(wire.body)
