"""Open Inference Protocol V2 in JSON: named tensors in, one tensor out.

Source: https://github.com/kserve/open-inference-protocol (REST, "inference" and "model metadata").
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import check_rows, moments, request_id, unreadable
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema, show
from drivetrain.serve.plan import FieldType
from drivetrain.serve.version import Output

OUTPUT = "predict"

_INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
_FLOATS = frozenset({"FP16", "FP32", "FP64"})
_ACCEPTED: Mapping[FieldType, frozenset[str]] = {
    "string": frozenset({"BYTES"}),
    "int": _INTEGERS,
    "float": _FLOATS | _INTEGERS,
    "bool": frozenset({"BOOL"}),
    "time": frozenset({"BYTES"}),
    "date": frozenset({"BYTES"}),
}
DATATYPES: Mapping[FieldType, str] = {
    "string": "BYTES",
    "int": "INT64",
    "float": "FP64",
    "bool": "BOOL",
    "time": "BYTES",
    "date": "BYTES",
}


class _Tensor(msgspec.Struct, gc=False):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


class _Asked(msgspec.Struct, gc=False):
    name: str
    parameters: dict[str, Any] = {}


class _InferBody(msgspec.Struct, gc=False):
    inputs: list[_Tensor]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[_Asked] = []


_decode = msgspec.json.Decoder(_InferBody).decode
_encode = msgspec.json.Encoder().encode


def infer_call(body: bytes, schema: InstanceSchema, settings: ServeSettings) -> Call:
    """The call of an inference request; inputs are named by the endpoint's fields, each of shape ``[n]`` or ``[n, 1]``.

    Raises:
        RequestError: The body does not fit; the message names the input, what was found and what was expected.
    """
    started = time.perf_counter_ns()
    try:
        asked = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"inputs": [{"name": …, "shape": [1], "datatype": …, "data": […]}]}') from None
    for output in asked.outputs:
        if output.name != OUTPUT:
            raise RequestError("no such output", field="outputs", found=show(output.name), expected=OUTPUT)
    at = asked.parameters.get("at")
    if at is not None and not (isinstance(at, str) or (isinstance(at, list) and all(isinstance(t, str) for t in at))):
        raise RequestError(
            "parameters.at is no time", field="parameters.at", found=show(at), expected="text, or a list"
        )
    columns = _columns(asked.inputs, schema)
    count = len(next(iter(columns.values())))
    check_rows(count, settings, "inputs")
    instances = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return Call(
        request_id=request_id(asked.id, "id"),
        rows=[schema.convert(instance, f"inputs[{row}]") for row, instance in enumerate(instances)],
        raws=[msgspec.Raw(_encode(instance)) for instance in instances],
        ats=moments(at, count, settings),
        started=started,
    )


def outputs(predictions: Sequence[Output]) -> list[dict[str, object]]:
    """The answer's tensors: shape ``[n]``, or ``[n, classes]`` in row order."""
    first = predictions[0]
    if isinstance(first, list):
        shape = [len(predictions), len(first)]
        data = [score for scores in predictions if isinstance(scores, list) for score in scores]
        return [{"name": OUTPUT, "datatype": "FP64", "shape": shape, "data": data}]
    return [{"name": OUTPUT, "datatype": "FP64", "shape": [len(predictions)], "data": list(predictions)}]


def _columns(tensors: Sequence[_Tensor], schema: InstanceSchema) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    types = {field.name: field.type for field in schema.fields}
    for at, tensor in enumerate(tensors):
        where = f"inputs[{at}]"
        if tensor.name not in types:
            raise RequestError(
                f"{where} is no field of the endpoint",
                field=f"{where}.name",
                found=show(tensor.name),
                expected=f"one of {', '.join(schema.names)}",
            )
        if tensor.name in columns:
            raise RequestError(f"{where} comes twice", field=f"{where}.name", found=show(tensor.name))
        accepted = _ACCEPTED[types[tensor.name]]
        if tensor.datatype not in accepted:
            raise RequestError(
                f"{where} ({tensor.name}) is of the wrong type",
                field=f"{where}.datatype",
                found=show(tensor.datatype),
                expected=" or ".join(sorted(accepted)),
            )
        columns[tensor.name] = _flat(tensor, where)
    for name in schema.names:
        if name not in columns:
            raise RequestError(f"the input {name} is missing", field="inputs", expected=DATATYPES[types[name]])
    lengths = {name: len(data) for name, data in columns.items()}
    if len(set(lengths.values())) > 1:
        raise RequestError("inputs differ in length", field="inputs", found=str(lengths), expected="one length")
    return columns


def _flat(tensor: _Tensor, where: str) -> list[Any]:
    data = tensor.data
    if len(tensor.shape) == 2 and data and all(isinstance(item, list) for item in data):
        data = [value for item in data for value in item]
    rows = tensor.shape[0] if tensor.shape else -1
    if len(tensor.shape) not in (1, 2) or (len(tensor.shape) == 2 and tensor.shape[1] != 1) or rows != len(data):
        raise RequestError(
            f"{where} ({tensor.name}) has a shape that does not fit",
            field=f"{where}.shape",
            found=f"{tensor.shape} with {len(data)} values",
            expected="[n] or [n, 1] with n values",
        )
    return data
