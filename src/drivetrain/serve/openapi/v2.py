"""``/v2``: what Open Inference Protocol V2 takes and gives, in JSON."""

from __future__ import annotations

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi.fields import example, value
from drivetrain.serve.openapi.native import REQUEST_ID, moments
from drivetrain.serve.openapi.operation import Content, Operation, in_json
from drivetrain.serve.openapi.schema import (
    FLAG,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    listed,
    ordered,
    record,
)
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.serve.protocols.tensor import DATATYPES, datatypes
from drivetrain.serve.protocols.v2 import LENGTH_HEADER, OUTPUT

_TRUE: Schema = {"const": True}
SERVER = Operation(
    summary="What the server is", answer=in_json(record({"name": TEXT, "version": TEXT, "extensions": listed(TEXT)}))
)
LIVE = Operation(summary="Whether the server lives", answer=in_json(record({"live": _TRUE})))
READY = Operation(
    summary="Whether every model can answer", answer=in_json(record({"ready": _TRUE})), refuses=frozenset({503})
)


def metadata(plan: EndpointPlan) -> Operation:
    """What a model takes and gives."""
    tensor = {"name": TEXT, "datatype": {"enum": sorted({*DATATYPES.values()})}, "shape": listed(WHOLE)}
    return Operation(
        summary=f"What model {plan.name} takes and gives",
        answer=in_json(
            record(
                {
                    "name": TEXT,
                    "versions": listed(TEXT),
                    "platform": TEXT,
                    "inputs": listed(record({**tensor, "parameters": record({"nullable": FLAG})})),
                    "outputs": listed(record(tensor)),
                }
            )
        ),
    )


def ready(plan: EndpointPlan) -> Operation:
    """Whether a model can answer."""
    return Operation(
        summary=f"Whether model {plan.name} can answer",
        answer=in_json(record({"name": TEXT, "ready": _TRUE})),
        refuses=frozenset({503}),
    )


def infer(plan: EndpointPlan, settings: ServeSettings) -> Operation:
    """Predictions for tensors."""
    first = example(plan)
    return Operation(
        summary=f"Infer with model {plan.name}",
        description=(
            "One input for each field, all of one length, in any order. Inputs may be bytes after the JSON instead, as "
            f"the binary tensor data extension says: {LENGTH_HEADER} is then the length of the JSON. The answer is "
            "such where the request asks for binary data."
        ),
        body=in_json(
            _asked(plan, settings),
            {
                "id": "order-7",
                "inputs": [
                    {"name": field.name, "shape": [1], "datatype": DATATYPES[field.type], "data": [first[field.name]]}
                    for field in plan.fields
                ],
            },
        ),
        answer={
            "application/json": Content(_answered()),
            "application/octet-stream": Content({"description": "JSON without the output's data, then the data."}),
        },
        headers={LENGTH_HEADER: {"description": "Bytes of JSON before those of data; of bytes only.", "schema": WHOLE}},
        refuses=frozenset({415} if plan.deadline is None else {415, 504}),
    )


def _asked(plan: EndpointPlan, settings: ServeSettings) -> Schema:
    output = record(
        {"name": {"const": OUTPUT}},
        {
            "parameters": {
                "type": "object",
                "properties": {"binary_data": FLAG, "classification": False, "shared_memory_region": False},
            }
        },
        more=True,
    )
    parameters = record({}, {"binary_data_output": FLAG, "at": moments(settings)}, more=True)
    return record(
        {"inputs": ordered(*(_tensor(field, settings) for field in plan.fields))},
        {"id": REQUEST_ID, "parameters": parameters, "outputs": listed(output)},
        more=True,
    )


def _tensor(field: RequestField, settings: ServeSettings) -> Schema:
    """A tensor of shape ``[n]`` or ``[n, 1]``; that it has n values is beyond JSON Schema."""
    rows = {**WHOLE, "minimum": 1, "maximum": settings.max_rows}
    return record(
        {
            "name": {"const": field.name},
            "datatype": {"enum": sorted(datatypes(field))},
            "shape": {
                "type": "array",
                "prefixItems": [rows, {"const": 1}],
                "items": False,
                "minItems": 1,
                "maxItems": 2,
            },
            "data": listed(value(field), least=1, most=settings.max_rows),
        },
        {"parameters": record({}, {"binary_data_size": {"type": "null"}}, more=True)},
        more=True,
    )


def _answered() -> Schema:
    tensor = record(
        {"name": {"const": OUTPUT}, "datatype": {"const": "FP64"}, "shape": listed(WHOLE), "data": listed(NUMBER)}
    )
    return record(
        {"model_name": TEXT, "model_version": TEXT, "id": TEXT, "outputs": listed(tensor, least=1, most=1)},
        {"parameters": {"type": "object", "additionalProperties": TEXT}},
    )
