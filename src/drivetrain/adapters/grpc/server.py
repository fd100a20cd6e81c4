"""The gRPC server of one worker, on the worker's event loop; workers share the port."""

from __future__ import annotations

from pathlib import Path

import grpc

from drivetrain.adapters.grpc.service import NAME, InferenceService
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.settings import ServeSettings
from drivetrain.core.transport import Door

_FRAMING = 64 * 1024
"""Room for what a message holds beside the tensors' bytes."""


class GrpcTransport:
    """:class:`~drivetrain.core.transport.Transport` for Open Inference Protocol V2.

    Args:
        door: Where requests are asked.
        settings: Host, port, limits and TLS.
    """

    def __init__(self, door: Door, settings: ServeSettings) -> None:
        self._service = InferenceService(door)
        self._settings = settings
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listens; what is more than can wait is refused before its message is taken in.

        Raises:
            DrivetrainError: The port is taken.
        """
        settings = self._settings
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1),
                ("grpc.max_receive_message_length", settings.max_bytes + _FRAMING),
                ("grpc.max_send_message_length", -1),
            ],
            maximum_concurrent_rpcs=settings.queue * 2,
        )
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(NAME, self._service.handlers())])
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.grpc_port}"
        try:
            if settings.tls_certificate:
                server.add_secure_port(address, _credentials(settings))
            else:
                server.add_insecure_port(address)
        except RuntimeError as error:
            raise DrivetrainError(
                f"gRPC can't listen on {address}: {error}", do="Set another serve.grpc_port"
            ) from None
        await server.start()
        self._server = server

    async def stop(self, seconds: float) -> None:
        """Takes nothing more, and lets what is under way finish for so long."""
        if self._server is not None:
            await self._server.stop(seconds)


def _credentials(settings: ServeSettings) -> grpc.ServerCredentials:
    pair = Path(settings.tls_key).read_bytes(), Path(settings.tls_certificate).read_bytes()
    return grpc.ssl_server_credentials([pair])
