"""Messages of the protocol's gRPC form into its binary HTTP form, and back: the same JSON, the same bytes after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from drivetrain.adapters.grpc.messages import MESSAGES
from drivetrain.core.errors import RequestError
from drivetrain.core.transport import Reply

LENGTH_HEADER = "inference-header-content-length"
_CONTENTS: Mapping[str, tuple[str, str]] = {
    "BOOL": ("bool_contents", "u1"),
    "INT8": ("int_contents", "<i1"),
    "INT16": ("int_contents", "<i2"),
    "INT32": ("int_contents", "<i4"),
    "INT64": ("int64_contents", "<i8"),
    "UINT8": ("uint_contents", "<u1"),
    "UINT16": ("uint_contents", "<u2"),
    "UINT32": ("uint_contents", "<u4"),
    "UINT64": ("uint64_contents", "<u8"),
    "FP32": ("fp32_contents", "<f4"),
    "FP64": ("fp64_contents", "<f8"),
    "BYTES": ("bytes_contents", ""),
}
"""Datatype → where its values are, and how one is laid out as bytes; what is not here comes as bytes only."""


def infer_body(request: Any) -> tuple[dict[str, str], bytes]:  # noqa: ANN401 - a message; protobuf has no types
    """Headers and body of a ``ModelInferRequest``.

    Raises:
        RequestError: Its contents do not go with its inputs.
    """
    parts = _parts(request)
    inputs = [
        {
            "name": tensor.name,
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
            "parameters": {"binary_data_size": len(part)},
        }
        for tensor, part in zip(request.inputs, parts, strict=True)
    ]
    outputs = [{"name": output.name, "parameters": _parameters(output.parameters)} for output in request.outputs]
    for output in outputs:
        output["parameters"].pop("binary_data", None)
    head = json.dumps(
        {
            "id": request.id,
            "parameters": _parameters(request.parameters) | {"binary_data_output": True},
            "inputs": inputs,
            "outputs": outputs,
        }
    ).encode()
    return {LENGTH_HEADER: str(len(head))}, b"".join([head, *parts])


def infer_response(reply: Reply, *, raw: bool) -> Any:  # noqa: ANN401 - as above
    """The ``ModelInferResponse`` of an answer: tensors as bytes, or as numbers for who sent numbers."""
    length = int(dict(reply.headers)[LENGTH_HEADER])
    told, data = json.loads(reply.body[:length]), reply.body[length:]
    response = MESSAGES["ModelInferResponse"](
        model_name=told["model_name"], model_version=told["model_version"], id=told["id"]
    )
    for name, value in told.get("parameters", {}).items():
        response.parameters[name].string_param = value
    for tensor in told["outputs"]:
        output = response.outputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
        size = tensor["parameters"]["binary_data_size"]
        part, data = data[:size], data[size:]
        if raw:
            response.raw_output_contents.append(part)
        else:
            field, layout = _CONTENTS[tensor["datatype"]]
            getattr(output.contents, field).extend(np.frombuffer(part, layout).tolist())
    return response


def _parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: value.WhichOneof("parameter_choice") for name, value in given.items()}
    return {name: getattr(given[name], choice) for name, choice in chosen.items() if choice}


def _parts(request: Any) -> list[bytes]:  # noqa: ANN401 - as above
    """The bytes of every input, in order."""
    raws = list(request.raw_input_contents)
    if not raws:
        return [_packed(tensor, f"inputs[{at}]") for at, tensor in enumerate(request.inputs)]
    if len(raws) != len(request.inputs):
        raise RequestError(
            "raw_input_contents does not match the inputs",
            field="raw_input_contents",
            found=f"{len(raws)} contents",
            expected=f"{len(request.inputs)}, one for each input",
        )
    for at, tensor in enumerate(request.inputs):
        if tensor.HasField("contents"):
            raise RequestError(
                f"inputs[{at}] ({tensor.name}) has contents beside raw_input_contents",
                field=f"inputs[{at}].contents",
                expected="one of the two for the whole request",
            )
    return raws


def _packed(tensor: Any, where: str) -> bytes:  # noqa: ANN401 - as above
    filled = [field.name for field, _ in tensor.contents.ListFields()]
    field, layout = _CONTENTS.get(tensor.datatype, ("", ""))
    if filled != [field] and (filled or tensor.datatype in _CONTENTS) and 0 not in tensor.shape:
        raise RequestError(
            f"{where} ({tensor.name}) has its values in the wrong place",
            field=f"{where}.contents",
            found=" and ".join(filled) or "nothing",
            expected=f"{field or 'raw_input_contents'} for {tensor.datatype[:60]}",
        )
    values = getattr(tensor.contents, field) if field else ()
    if tensor.datatype == "BYTES":
        return b"".join(len(value).to_bytes(4, "little") + value for value in values)
    try:
        return np.array(list(values), layout or "u1").tobytes()
    except OverflowError:
        raise RequestError(
            f"{where} ({tensor.name}) has a value that is no {tensor.datatype}", field=f"{where}.contents.{field}"
        ) from None
