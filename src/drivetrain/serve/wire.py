"""A request's head and wire as the application expects them, for requests that came another way than by its server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from drivetrain.serve.request import RequestHeaders
from drivetrain.serve.response import Headers, Response


class HeldHeaders:
    """A request's headers.

    Args:
        named: Their values by lower-case name.
    """

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value of a header."""
        return self._named.get(key, default)


@dataclass(slots=True)
class Head:
    """A request's head.

    Attributes:
        method: Its method.
        path: Its path, without what the application is mounted at.
        headers: Its headers.
    """

    method: str
    path: str
    headers: RequestHeaders


class HeldWire:
    """A body on its way in, and the answer, held until somebody takes it further.

    Args:
        pieces: The body.
    """

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.response = Response(500, b"")

    async def __call__(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self._pieces])

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in pieces."""
        return self._pieces

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Keeps the answer."""
        self.response = Response(status, body, headers)
