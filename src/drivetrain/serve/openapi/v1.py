"""``/v1/models``: what the V1 protocol takes and gives."""

from __future__ import annotations

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi.fields import columns, example, instances
from drivetrain.serve.openapi.operation import Operation, in_json
from drivetrain.serve.openapi.schema import ANYTHING, TEXT, listed, record
from drivetrain.serve.openapi.tabular import NAMED, PREDICTIONS, TRACED
from drivetrain.serve.plan import EndpointPlan

INDEX = Operation(summary="Every model's name", answer=in_json(record({"models": listed(TEXT)}), {"models": ["late"]}))


def status(plan: EndpointPlan) -> Operation:
    """Whether a model can answer."""
    state = record(
        {
            "version": TEXT,
            "state": {"const": "AVAILABLE"},
            "status": record({"error_code": {"const": "OK"}, "error_message": TEXT}),
        }
    )
    return Operation(
        summary=f"Whether model {plan.name} can answer",
        answer=in_json(record({"name": TEXT, "ready": {"const": True}, "model_version_status": listed(state)})),
        refuses=frozenset({503}),
    )


def predict(plan: EndpointPlan, settings: ServeSettings) -> Operation:
    """Predictions for instances, or for columns."""
    passed_over = {"parameters": ANYTHING, "signature_name": ANYTHING}
    rows = instances(plan, settings)
    return Operation(
        summary=f"Predict with model {plan.name}",
        description="TensorFlow Serving's columns, an object of inputs, are answered with outputs.",
        parameters=(NAMED,),
        body=in_json(
            {
                "oneOf": [
                    record({"instances": rows}, passed_over),
                    record({"inputs": rows}, passed_over),
                    record({"inputs": columns(plan, settings)}, passed_over),
                ]
            },
            {"instances": [example(plan)]},
        ),
        answer=in_json(
            {"oneOf": [record({"predictions": PREDICTIONS}), record({"outputs": PREDICTIONS})]}, {"predictions": [0.25]}
        ),
        headers=TRACED,
        refuses=frozenset({415} if plan.deadline is None else {415, 504}),
    )
