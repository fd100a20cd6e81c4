"""An endpoint's fields as schemas, and values that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.instance import WORDS
from drivetrain.serve.openapi.schema import FLAG, MOMENT, NUMBER, TEXT, Schema, listed, nullable, record, ref
from drivetrain.serve.plan import EndpointPlan, FieldType, RequestField

_VALUES: Mapping[FieldType, Schema] = {
    "string": TEXT,
    "int": {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    "float": NUMBER,
    "bool": FLAG,
    "time": MOMENT,
    "date": {"type": "string", "format": "date"},
}
_EXAMPLES: Mapping[FieldType, Any] = {
    "string": "text",
    "int": 1,
    "float": 0.5,
    "bool": True,
    "time": "2013-07-01T09:30:00Z",
    "date": "2013-07-01",
}


def value(field: RequestField) -> Schema:
    """What a field's value is."""
    schema = _VALUES[field.type]
    return nullable(schema) if field.nullable else schema


def instance(plan: EndpointPlan) -> Schema:
    """What an instance of an endpoint is."""
    properties = {
        field.name: {**value(field), "description": field.description or WORDS[field.type].capitalize()}
        for field in plan.fields
    }
    return {**record(properties), "description": f"One instance of endpoint {plan.name}."}


def example(plan: EndpointPlan) -> dict[str, Any]:
    """An instance that the endpoint answers."""
    return {field.name: _EXAMPLES[field.type] for field in plan.fields}


def instance_name(plan: EndpointPlan) -> str:
    """What the schema of an endpoint's instances goes by among the components."""
    return f"Instance.{plan.name}"


def instances(plan: EndpointPlan, settings: ServeSettings) -> Schema:
    """A list of instances, as long as one request may have it."""
    return listed(ref(instance_name(plan)), least=1, most=settings.max_rows)


def columns(plan: EndpointPlan, settings: ServeSettings) -> Schema:
    """An object of columns; that they are of one length is beyond JSON Schema."""
    return {
        **record({field.name: listed(value(field), least=1, most=settings.max_rows) for field in plan.fields}),
        "description": "Field → its values; as many of each.",
    }
