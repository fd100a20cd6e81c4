"""One request and its answer, as access logs and traces are told of it."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Exchange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a request once it is answered; nothing of what it or the answer said.

    Attributes:
        began: When it came: nanoseconds since 1970 UTC.
        seconds: How long the answer took.
        method: HTTP method.
        route: What was asked for, ``predict`` for example; ``unknown`` where nothing is at the path.
        path: Path of the route as declared; empty where nothing is there, as such a path may hold anything.
        endpoint: The endpoint asked; or empty.
        status: HTTP status of the answer.
        received: Bytes of the request's body.
        sent: Bytes of the answer's body.
        secure: Whether it came over TLS.
        token: Public part of the token it came with; or empty.
        request_id: The prediction's id; or empty.
        version: Version that answered; 0 where none did.
        rows: How many instances were predicted.
        traceparent: The caller's place in a trace, as W3C Trace Context writes it; or empty.
        tracestate: What goes with it; or empty.
    """

    began: int
    seconds: float
    method: str
    route: str
    path: str
    endpoint: str
    status: int
    received: int = 0
    sent: int = 0
    secure: bool = False
    token: str = ""
    request_id: str = ""
    version: int = 0
    rows: int = 0
    traceparent: str = ""
    tracestate: str = ""


class Witness(Protocol):
    """Somebody who is told of every exchange, after the answer has gone out."""

    def saw(self, exchange: Exchange) -> None:
        """Takes note, without waiting for anything."""
        ...

    def close(self) -> None:
        """Writes or sends what was noted, and lets go."""
        ...
