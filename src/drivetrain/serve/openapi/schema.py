"""JSON Schemas, written short.

Source: https://json-schema.org/draft/2020-12/schema, as OpenAPI 3.1 has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
LARGEST = 1.7976931348623157e308
NUMBER: Schema = {"type": "number", "format": "double", "minimum": -LARGEST, "maximum": LARGEST}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {}


def ref(name: str) -> Schema:
    """A schema by its name among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(
    required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, *, more: bool = False
) -> dict[str, Any]:
    """An object.

    Args:
        required: Members that must be there.
        optional: Members that may.
        more: Whether it may have others.

    >>> record({"label": NUMBER})["additionalProperties"]
    False
    """
    made: dict[str, Any] = {"type": "object", "properties": {**required, **(optional or {})}}
    if required:
        made["required"] = list(required)
    return made | ({} if more else {"additionalProperties": False})


def listed(items: Schema, *, most: int | None = None, least: int = 0) -> Schema:
    """An array of one kind of item."""
    made: dict[str, Any] = {"type": "array", "items": items}
    if least:
        made["minItems"] = least
    return made if most is None else made | {"maxItems": most}


def ordered(*items: Schema) -> Schema:
    """An array of these items, one of each."""
    return {
        "type": "array",
        "prefixItems": list(items),
        "items": False,
        "minItems": len(items),
        "maxItems": len(items),
    }


def nullable(schema: Schema) -> Schema:
    """The same, or null.

    >>> nullable(TEXT)
    {'type': ['string', 'null']}
    """
    return {**schema, "type": [schema["type"], "null"]}
