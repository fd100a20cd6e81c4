"""What V1 and ``/invocations`` share: a header that names the request, and headers that tell who answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivetrain.serve.openapi.native import REQUEST_ID
from drivetrain.serve.openapi.operation import Parameter
from drivetrain.serve.openapi.schema import NUMBER, TEXT, Schema, listed
from drivetrain.serve.protocols.instances import ID_HEADER

PREDICTIONS: Schema = listed({"anyOf": [NUMBER, listed(NUMBER)]}, least=1)
NAMED: Parameter = {"name": ID_HEADER, "in": "header", "schema": {**REQUEST_ID}}
TRACED: Mapping[str, Mapping[str, Any]] = {
    "X-Drivetrain-Request-Id": {
        "required": True,
        "description": "The request's id, as URLs escape it.",
        "schema": TEXT,
    },
    "X-Drivetrain-Model-Version": {
        "required": True,
        "description": "Who answered; several by commas.",
        "schema": {**TEXT, "pattern": "^[0-9]+(,[0-9]+)*$"},
    },
    "X-Drivetrain-Failed": {"description": "Versions that another answered in place of.", "schema": TEXT},
    "X-Drivetrain-Features-Away": {"description": "Views that could not be read.", "schema": TEXT},
}
