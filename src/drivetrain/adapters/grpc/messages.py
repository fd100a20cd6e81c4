"""The messages of ``inference.GRPCInferenceService``, made from a table when they are first used.

On the wire only field numbers and types count. Made here, in a pool of their own, they need no generated code that ties
them to one release of protobuf, and do not meet the same messages of a client in the same process.

Source: https://github.com/kserve/open-inference-protocol (``inference_grpc``), field numbers and types.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

PACKAGE = "inference"

_TABLE = """
ServerLiveRequest
ServerLiveResponse: bool live 1
ServerReadyRequest
ServerReadyResponse: bool ready 1
ModelReadyRequest: string name 1, string version 2
ModelReadyResponse: bool ready 1
ServerMetadataRequest
ServerMetadataResponse: string name 1, string version 2, string* extensions 3
ModelMetadataRequest: string name 1, string version 2
TensorMetadata: string name 1, string datatype 2, int64* shape 3
ModelMetadataResponse: string name 1, string* versions 2, string platform 3, \
TensorMetadata* inputs 4, TensorMetadata* outputs 5
InferParameter: bool|bool_param 1, int64|int64_param 2, string|string_param 3, double|double_param 4, \
uint64|uint64_param 5
InferTensorContents: bool* bool_contents 1, int32* int_contents 2, int64* int64_contents 3, uint32* uint_contents 4, \
uint64* uint64_contents 5, float* fp32_contents 6, double* fp64_contents 7, bytes* bytes_contents 8
InferInputTensor: string name 1, string datatype 2, int64* shape 3, map parameters 4, InferTensorContents contents 5
InferRequestedOutputTensor: string name 1, map parameters 2
ModelInferRequest: string model_name 1, string model_version 2, string id 3, map parameters 4, \
InferInputTensor* inputs 5, InferRequestedOutputTensor* outputs 6, bytes* raw_input_contents 7
InferOutputTensor: string name 1, string datatype 2, int64* shape 3, map parameters 4, InferTensorContents contents 5
ModelInferResponse: string model_name 1, string model_version 2, string id 3, map parameters 4, \
InferOutputTensor* outputs 5, bytes* raw_output_contents 6
"""
"""A message a line: its fields' types (``*``: repeated, ``|``: one of several, ``map``: by text), names and numbers."""


def _made() -> dict[str, Any]:
    file = FileDescriptorProto(name="drivetrain/inference.proto", package=PACKAGE, syntax="proto3")
    for line in _TABLE.strip().splitlines():
        name, _, fields = line.partition(": ")
        message = file.message_type.add(name=name)
        for field in fields.split(", ") if fields else ():
            _add(message, *field.replace("*", "* ").replace("|", "| ").split())
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        message.name: GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{message.name}"))
        for message in file.message_type
    }


def _add(message: DescriptorProto, kind: str, name: str, number: str) -> None:
    field = message.field.add(name=name, number=int(number), label=FieldDescriptorProto.LABEL_OPTIONAL)
    if kind.endswith("*"):
        field.label = FieldDescriptorProto.LABEL_REPEATED
    if kind.endswith("|"):
        if not message.oneof_decl:
            message.oneof_decl.add(name="parameter_choice")
        field.oneof_index = 0
    kind = kind.rstrip("*|")
    if kind == "map":
        kind = f"{message.name}.{name.title()}Entry"
        field.label = FieldDescriptorProto.LABEL_REPEATED
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add(entry, "string", "key", "1")
        _add(entry, "InferParameter", "value", "2")
    if kind[0].isupper():
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(FieldDescriptorProto, f"TYPE_{kind.upper()}")


MESSAGES: dict[str, Any] = _made()
"""Name → class."""
