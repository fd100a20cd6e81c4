"""``/v1/endpoints``: what the native protocol takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from drivetrain.core.records.policy import PolicyKind
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi.fields import example, instances
from drivetrain.serve.openapi.operation import Operation, in_json
from drivetrain.serve.openapi.schema import (
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    listed,
    nullable,
    record,
    ref,
)
from drivetrain.serve.plan import EndpointPlan

REQUEST_ID: Schema = {
    "type": "string",
    "maxLength": 200,
    "description": "Names the request; sent again it is the same one. Made by the server where it is empty.",
}
_LAST_ROW = (1 << 31) - 1
_NAMED = {"type": "string", "minLength": 1}
_LABEL = "A number; of a model that tells classes the name of one; of several labels, the names of those that hold."

INDEX = Operation(
    summary="Every endpoint's name", answer=in_json(record({"endpoints": listed(TEXT)}), {"endpoints": ["late"]})
)


def predict(plan: EndpointPlan, settings: ServeSettings) -> Operation:
    """Predictions for instances."""
    return Operation(
        summary=f"Predict with endpoint {plan.name}",
        description=plan.description,
        body=in_json(_asked(plan, settings), {"instances": [example(plan)], "request_id": "order-7"}),
        answer=in_json(ref("Answer"), {"predictions": [0.25], "request_id": "order-7", "model_version": 3}),
        refuses=frozenset() if plan.deadline is None else frozenset({504}),
    )


def explain(plan: EndpointPlan, settings: ServeSettings) -> Operation:
    """Why instances are answered as they are; settings say how many at once."""
    return Operation(
        summary=f"Why endpoint {plan.name} answers as it does",
        description="Contributions of the features add up, with the base, to the margin; nothing of it is logged.",
        body=in_json(_asked(plan, settings), {"instances": [example(plan)]}),
        answer=in_json(ref("Explained")),
    )


def feedback(plan: EndpointPlan, settings: ServeSettings) -> Operation:
    """Labels for predictions."""
    label = record(
        {"label": {"anyOf": [{**NUMBER, "type": ["number", "boolean"]}, TEXT, listed(TEXT)], "description": _LABEL}},
        {
            "request_id": REQUEST_ID,
            "row": {**WHOLE, "minimum": 0, "maximum": _LAST_ROW, "description": "Which instance of that request."},
            "entity": {**TEXT, "description": "What the prediction was about; instead of the request's id."},
            "at": {**nullable(MOMENT), "description": "When the label was known; now, where it is left out."},
        },
    ) | {"anyOf": [{"properties": {name: _NAMED}, "required": [name]} for name in ("request_id", "entity")]}
    return Operation(
        summary=f"Labels for predictions of endpoint {plan.name}",
        body=in_json(
            record({"feedback": listed(label, least=1, most=settings.max_rows)}),
            {"feedback": [{"request_id": "order-7", "row": 0, "label": 1}]},
        ),
        answer=in_json(record({"accepted": WHOLE}), {"accepted": 1}),
    )


def describe(plan: EndpointPlan) -> Operation:
    """What an endpoint is."""
    version = nullable(WHOLE)
    arm = record({"name": TEXT, "version": version, "share": NUMBER})
    policy = record(
        {
            "mode": {"type": "string", "enum": list(get_args(PolicyKind))},
            "experiment": TEXT,
            "unit": listed(TEXT),
            "arms": listed(arm),
        }
    )
    field = record({"name": TEXT, "type": TEXT, "expected": TEXT, "description": TEXT})
    told = record({"kind": TEXT, "classes": listed(TEXT), "levels": listed(NUMBER)})
    worker = record({"pid": WHOLE}, {"champion": version, "shadow": version, "policy": version})
    texts: Mapping[str, Schema] = {"name": TEXT, "model": TEXT, "description": TEXT}
    return Operation(
        summary=f"What endpoint {plan.name} is, and who answers",
        answer=in_json(
            record(
                {
                    **texts,
                    "ready": FLAG,
                    "versions": record({"champion": version, "shadow": version}),
                    "problems": {"type": "object", "additionalProperties": TEXT},
                    "policy": {"anyOf": [policy, {"type": "null"}]},
                    "left_alone": listed(WHOLE),
                    "workers": listed(worker),
                    "request": listed(field),
                    "answer": {"anyOf": [told, {"type": "null"}]},
                    "features": listed(TEXT),
                    "views": listed(TEXT),
                }
            )
        ),
    )


def moments(settings: ServeSettings) -> Schema:
    """The moment that a request is made at, where it may say so."""
    if not settings.allow_at:
        return {"type": "null", "description": "This server answers as of now."}
    return {
        "anyOf": [MOMENT, listed(MOMENT, least=1, most=settings.max_rows), {"type": "null"}],
        "description": "The moment predicted for: one, or one for each instance; now, where it is left out.",
    }


def _asked(plan: EndpointPlan, settings: ServeSettings) -> Schema:
    return record({"instances": instances(plan, settings)}, {"request_id": REQUEST_ID, "at": moments(settings)})
