"""``inference.GRPCInferenceService``: each method asks at the server's door what the protocol's HTTP form would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias

import grpc

from drivetrain.adapters.grpc.messages import MESSAGES
from drivetrain.adapters.grpc.translation import infer_body, infer_response
from drivetrain.core.errors import NotFound, RequestError
from drivetrain.core.transport import Door, Reply

NAME = "inference.GRPCInferenceService"
CODES: Mapping[int, grpc.StatusCode] = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.INVALID_ARGUMENT,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""HTTP's status → gRPC's; any other is ``INTERNAL``."""
_PASSED = frozenset({"authorization", "traceparent", "tracestate"})
_TOLD = frozenset({"retry-after", "www-authenticate"})

Context: TypeAlias = grpc.aio.ServicerContext


class InferenceService:
    """The service's methods.

    Args:
        door: Where they ask.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        """Method → what answers it."""
        methods = {
            "ServerLive": self.server_live,
            "ServerReady": self.server_ready,
            "ServerMetadata": self.server_metadata,
            "ModelReady": self.model_ready,
            "ModelMetadata": self.model_metadata,
            "ModelInfer": self.model_infer,
        }
        return {
            name: grpc.unary_unary_rpc_method_handler(
                method,
                request_deserializer=MESSAGES[f"{name}Request"].FromString,
                response_serializer=MESSAGES[f"{name}Response"].SerializeToString,
            )
            for name, method in methods.items()
        }

    async def server_live(self, _request: Any, context: Context) -> Any:  # noqa: ANN401 - messages; protobuf has no types
        """Whether the server runs."""
        return MESSAGES["ServerLiveResponse"](live=await self._says_yes("/v2/health/live", context))

    async def server_ready(self, _request: Any, context: Context) -> Any:  # noqa: ANN401 - as above
        """Whether every endpoint has a version to answer with."""
        return MESSAGES["ServerReadyResponse"](ready=await self._says_yes("/v2/health/ready", context))

    async def server_metadata(self, _request: Any, context: Context) -> Any:  # noqa: ANN401 - as above
        """What the server is."""
        return MESSAGES["ServerMetadataResponse"](**await self._told("/v2", context))

    async def model_ready(self, request: Any, context: Context) -> Any:  # noqa: ANN401 - as above
        """Whether an endpoint, in a version if one is named, can answer; one that is not there can't."""
        path = await _path(request.name, request.version, context)
        return MESSAGES["ModelReadyResponse"](ready=await self._says_yes(f"{path}/ready", context))

    async def model_metadata(self, request: Any, context: Context) -> Any:  # noqa: ANN401 - as above
        """What an endpoint takes and gives."""
        told = await self._told(await _path(request.name, request.version, context), context)
        for tensor in [*told["inputs"], *told["outputs"]]:
            tensor.pop("parameters", None)
        return MESSAGES["ModelMetadataResponse"](**told)

    async def model_infer(self, request: Any, context: Context) -> Any:  # noqa: ANN401 - as above
        """A prediction: bytes for bytes, numbers for numbers."""
        path = await _path(request.model_name, request.model_version, context)
        try:
            headers, body = infer_body(request)
        except RequestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        reply = await self._door.ask("POST", f"{path}/infer", _headers(context) | headers, body)
        if reply.status != 200:
            await _refuse(reply, context)
        return infer_response(reply, raw=bool(request.raw_input_contents))

    async def _told(self, path: str, context: Context) -> dict[str, Any]:
        reply = await self._door.ask("GET", path, _headers(context))
        if reply.status != 200:
            await _refuse(reply, context)
        told: dict[str, Any] = json.loads(reply.body)
        return told

    async def _says_yes(self, path: str, context: Context) -> bool:
        reply = await self._door.ask("GET", path, _headers(context))
        if reply.status not in {200, 404, 503}:
            await _refuse(reply, context)
        return reply.status == 200


async def _path(name: str, version: str, context: Context) -> str:
    if "/" in name or "/" in version:
        error = NotFound("no endpoint has such a name", found=repr(f"{name} {version}".strip()[:200]))
        await context.abort(grpc.StatusCode.NOT_FOUND, str(error))
    return f"/v2/models/{name}/versions/{version}" if version else f"/v2/models/{name}"


def _headers(context: Context) -> dict[str, str]:
    metadata = context.invocation_metadata() or ()
    return {name: value for name, value in metadata if name in _PASSED and isinstance(value, str)}


async def _refuse(reply: Reply, context: Context) -> NoReturn:
    told = tuple((name, value) for name, value in reply.headers if name in _TOLD)
    code = CODES.get(reply.status, grpc.StatusCode.INTERNAL)
    await context.abort(code, json.loads(reply.body)["error"], trailing_metadata=told)
    raise AssertionError("abort always raises")
