"""Further ways in to the inference server beside its HTTP: what one is given, and what it must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from drivetrain.core.settings import ServeSettings


class Reply(NamedTuple):
    """What the server says to a request.

    Attributes:
        status: As in HTTP.
        headers: Their names in lower case.
        body: As the protocol has it over HTTP.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class Door(Protocol):
    """The server's one door: tokens, limits, log, metrics and traces are behind it, whichever way a request came."""

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """Asks what an HTTP request would.

        Args:
            method: ``GET`` or ``POST``.
            path: The path.
            headers: Their names in lower case.
            body: The body.
        """
        ...


class Transport(Protocol):
    """A way in; one in each worker, on its event loop."""

    async def start(self) -> None:
        """Listens.

        Raises:
            DrivetrainError: It can't.
        """
        ...

    async def stop(self, seconds: float) -> None:
        """Takes nothing more, and lets what is under way finish for so long."""
        ...


class OpenTransport(Protocol):
    """How an adapter makes one: its attribute ``transport``."""

    def __call__(self, door: Door, settings: ServeSettings, /) -> Transport:
        """Makes the transport."""
        ...
