"""What JSON Schema can't say, for schemathesis: which lists are of one length, what a table is, what an integer."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from schemathesis.generation.modes import GenerationMode


@schemathesis.hook
def before_load_schema(_: object, document: dict[str, Any]) -> None:
    """A table in CSV is any text to JSON Schema; what the server makes of such is held by the tests of its protocol."""
    del document["paths"]["/invocations"]["post"]["requestBody"]["content"]["text/csv"]


@schemathesis.hook
def before_call(_: object, case: Any, __: object) -> None:
    case.body = _whole(case.body)
    if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE and isinstance(case.body, dict):
        _even(case.body)


@schemathesis.deserializer("application/octet-stream")
def head(_: object, response: Any) -> Any:
    """The JSON before an output's bytes."""
    return json.loads(response.content[: int(response.headers["inference-header-content-length"][0])])


def _whole(value: Any) -> Any:
    """The same value to JSON Schema, to which 1.0 is an integer; the server takes it for none."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return value


def _even(body: dict[str, Any]) -> None:
    """Columns and tensors of one length."""
    inputs = body.get("inputs")
    if isinstance(inputs, dict):
        least = min(map(len, inputs.values()))
        body["inputs"] = {name: values[:least] for name, values in inputs.items()}
    elif isinstance(inputs, list) and all("shape" in tensor for tensor in inputs):
        least = min(len(tensor["data"]) for tensor in inputs)
        for tensor in inputs:
            tensor["data"], tensor["shape"] = tensor["data"][:least], [least, *tensor["shape"][1:]]
