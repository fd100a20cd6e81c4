"""One HTTP request, as every route is given it."""

from __future__ import annotations

from typing import Protocol

import msgspec


class RequestHeaders(Protocol):
    """A request's headers, by lower-case name."""

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value of a header."""
        ...


class Request(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request.

    Attributes:
        headers: Its headers.
        body: The whole body; empty for GET.
    """

    headers: RequestHeaders
    body: bytes = b""
