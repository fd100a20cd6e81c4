"""The door to a worker's application for what does not come over its HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from drivetrain.core.transport import Reply
from drivetrain.serve.wire import Head, HeldHeaders, HeldWire


class InnerDoor:
    """:class:`~drivetrain.core.transport.Door` of one application.

    Args:
        answer: The application's ``__rsgi__``.
    """

    def __init__(self, answer: Callable[[Any, Any], Awaitable[None]]) -> None:
        self._answer = answer

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Asks what an HTTP request would."""
        wire = HeldWire(_whole(body))
        told = HeldHeaders({**headers, "content-length": str(len(body))})
        await self._answer(Head(method, path, told), wire)
        return Reply(wire.response.status, wire.response.headers, wire.response.body)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body
