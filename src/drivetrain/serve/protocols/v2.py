"""Open Inference Protocol V2: named tensors in, one tensor out, as JSON or as bytes after the JSON.

Source: https://github.com/kserve/open-inference-protocol (REST, "inference") and the binary tensor data extension,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import check_rows, request_id, unreadable
from drivetrain.serve.call import Answer, Call
from drivetrain.serve.instance import InstanceSchema, show
from drivetrain.serve.protocols.columns import check_names, rows_of
from drivetrain.serve.protocols.content import inflated
from drivetrain.serve.protocols.instances import Taken, table_call
from drivetrain.serve.protocols.tensor import DATATYPES, Tensor
from drivetrain.serve.refusal import Malformed
from drivetrain.serve.request import Request
from drivetrain.serve.response import Response, ok

OUTPUT = "predict"
LENGTH_HEADER = "inference-header-content-length"
_REMARKS = ("model_versions", "arms", "failed", "features_away")
_NOT_OFFERED = ("classification", "shared_memory_region")


class _Asked(msgspec.Struct, gc=False):
    name: str
    parameters: dict[str, Any] = {}


class _InferBody(msgspec.Struct, gc=False):
    inputs: list[Tensor]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[_Asked] = []


_decode = msgspec.json.Decoder(_InferBody).decode
_encode = msgspec.json.Encoder().encode


class Inference(NamedTuple):
    """An inference request.

    Attributes:
        call: Its instances.
        binary: Whether the answer's tensor is wanted as bytes.
    """

    call: Call
    binary: bool


def inference(request: Request, schema: InstanceSchema, settings: ServeSettings) -> Inference:
    """What is asked; inputs are named by the endpoint's fields, each of shape ``[n]`` or ``[n, 1]``.

    Raises:
        RequestError: The body does not fit; the message names the input, what was found and what was expected.
    """
    started = time.perf_counter_ns()
    head, data = _parted(inflated(request, settings), request.headers.get(LENGTH_HEADER))
    try:
        asked = _decode(head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"inputs": [{"name": …, "shape": [1], "datatype": …, "data": […]}]}') from None
    binary = _binary(asked)
    at = asked.parameters.get("at")
    if at is not None and not (isinstance(at, str) or (isinstance(at, list) and all(isinstance(t, str) for t in at))):
        raise RequestError(
            "parameters.at is no time", field="parameters.at", found=show(at), expected="text, or a list"
        )
    columns = _columns(asked.inputs, data, schema, settings)
    call = table_call(
        tuple(columns),
        rows_of(columns, "inputs"),
        schema,
        settings,
        Taken(request_id(asked.id, "id"), started, at),
    )
    return Inference(call, binary)


def told(endpoint: str, answer: Answer, *, binary: bool) -> Response:
    """The answer: one tensor of shape ``[n]``, or ``[n, classes]`` in row order."""
    first = answer.predictions[0]
    shape = [len(answer.predictions), len(first)] if isinstance(first, list) else [len(answer.predictions)]
    tensor: dict[str, object] = {"name": OUTPUT, "datatype": "FP64", "shape": shape}
    content: dict[str, object] = {
        "model_name": endpoint,
        "model_version": str(answer.model_version),
        "id": answer.request_id,
        "outputs": [tensor],
    }
    remarks = {name: value for name in _REMARKS if (value := getattr(answer, name)) is not msgspec.UNSET}
    if remarks:
        content["parameters"] = {name: ",".join(map(str, value)) for name, value in remarks.items()}
    values = np.array(answer.predictions, "<f8")
    if not binary:
        tensor["data"] = values.ravel().tolist()
        return ok(content)
    data = values.tobytes()
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = _encode(content)
    return Response(200, head + data, [("content-type", "application/octet-stream"), (LENGTH_HEADER, str(len(head)))])


def _parted(body: bytes, length: str | None) -> tuple[memoryview, memoryview]:
    """The JSON, and the bytes after it."""
    whole = memoryview(body)
    if length is None:
        return whole, whole[len(whole) :]
    text = length.strip()
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
    if not 0 < size <= len(whole):
        raise Malformed(
            "Inference-Header-Content-Length is not the length of the JSON",
            field=LENGTH_HEADER,
            found=show(length),
            expected=f"1 to {len(whole)}, the bytes of the body",
        )
    return whole[:size], whole[size:]


def _binary(asked: _InferBody) -> bool:
    """Whether bytes are wanted: as the output says, else as the request does."""
    wanted = asked.parameters.get("binary_data_output", False)
    if not isinstance(wanted, bool):
        raise _no_flag("parameters.binary_data_output", wanted)
    for at, output in enumerate(asked.outputs):
        where = f"outputs[{at}]"
        if output.name != OUTPUT:
            raise RequestError("no such output", field=f"{where}.name", found=show(output.name), expected=OUTPUT)
        for name in _NOT_OFFERED:
            if name in output.parameters:
                raise RequestError(f"{where} asks for what is not offered here", field=where, found=name)
        wanted = output.parameters.get("binary_data", wanted)
        if not isinstance(wanted, bool):
            raise _no_flag(f"{where}.parameters.binary_data", wanted)
    return wanted


def _no_flag(field: str, found: object) -> RequestError:
    return RequestError(f"{field} is of the wrong type", field=field, found=show(found), expected="true or false")


def _columns(
    tensors: Sequence[Tensor], data: memoryview, schema: InstanceSchema, settings: ServeSettings
) -> dict[str, list[Any]]:
    check_names([tensor.name for tensor in tensors], schema, "inputs", noun="input", words=DATATYPES)
    fields = {field.name: field for field in schema.fields}
    columns: dict[str, list[Any]] = {}
    for at, tensor in enumerate(tensors):
        where, field = f"inputs[{at}]", fields[tensor.name]
        rows = tensor.check(field, where)
        check_rows(rows, settings, where)
        if tensor.size is None:
            columns[tensor.name] = tensor.from_json(where)
        else:
            size = _size(tensor, len(data), where)
            columns[tensor.name] = tensor.from_bytes(data[:size], field, where)
            data = data[size:]
    if len(data):
        raise Malformed(
            "the body goes on after the last input's bytes", found=f"{len(data)} bytes more", expected="none"
        )
    return columns


def _size(tensor: Tensor, left: int, where: str) -> int:
    size = tensor.size
    path = f"{where}.parameters.binary_data_size"
    if tensor.data is not msgspec.UNSET:
        raise RequestError(f"{where} ({tensor.name}) has data and bytes", field=where, expected="one of the two")
    if type(size) is not int or size < 0:  # true and false are integers too
        raise RequestError(f"{path} is no size", field=path, found=show(size), expected="0 or more")
    if size > left:
        raise Malformed(
            f"{where} ({tensor.name}) has fewer bytes than it says",
            field=path,
            found=f"{left} bytes after the JSON and the inputs before it",
            expected=size,
            do="Say the length of the JSON in Inference-Header-Content-Length",
        )
    return size
