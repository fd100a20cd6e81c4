"""``/invocations``: what MLflow's scoring server and SageMaker's containers take and give."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi.fields import columns, example, instances, value
from drivetrain.serve.openapi.operation import Content, Operation, Parameter
from drivetrain.serve.openapi.schema import ANYTHING, TEXT, Schema, listed, ordered, record
from drivetrain.serve.openapi.tabular import NAMED, PREDICTIONS, TRACED
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.protocols.content import CSV_TYPE, JSON_TYPE


def invocations(plans: Sequence[EndpointPlan], settings: ServeSettings, header: str) -> Operation:
    """Predictions for a table.

    Args:
        plans: The endpoints that may be meant.
        settings: Limits.
        header: The header that says which is.
    """
    found = [form for plan in plans for form in _forms(plan, settings)]
    first = example(plans[0]) if plans else {}
    return Operation(
        summary="Predict for a table",
        description=(
            "Columns may come in any order, as long as the cells do. Where several endpoints are served, a header says "
            f"which is meant: {header}, or SageMaker's x-amzn-sagemaker-target-model. Bodies may be compressed, with "
            "content-encoding gzip or deflate; the answer is CSV where accept prefers it."
        ),
        parameters=(NAMED, _target(plans, header)),
        body={
            JSON_TYPE: Content({"oneOf" if len(plans) == 1 else "anyOf": found}, {"dataframe_records": [first]}),
            CSV_TYPE: Content({**TEXT, "description": "A header line of the fields, then a row a line."}, _csv(first)),
        },
        answer={
            JSON_TYPE: Content(record({"predictions": PREDICTIONS}), {"predictions": [0.25]}),
            CSV_TYPE: Content(TEXT, "predict\n0.25\n"),
        },
        headers=TRACED,
        refuses=frozenset({404, 415} if all(plan.deadline is None for plan in plans) else {404, 415, 504}),
    )


def _forms(plan: EndpointPlan, settings: ServeSettings) -> list[Schema]:
    rows = instances(plan, settings)
    split = record(
        {
            "columns": ordered(*({"const": field.name} for field in plan.fields)),
            "data": listed(ordered(*map(value, plan.fields)), least=1, most=settings.max_rows),
        },
        {"index": ANYTHING},
    )
    passed_over = {"params": ANYTHING}
    return [
        record({"dataframe_split": split}, passed_over),
        record({"dataframe_records": rows}, passed_over),
        record({"instances": rows}, passed_over),
        record({"inputs": rows}, passed_over),
        record({"inputs": columns(plan, settings)}, passed_over),
    ]


def _target(plans: Sequence[EndpointPlan], header: str) -> Parameter:
    return {
        "name": header,
        "in": "header",
        "required": len(plans) != 1,
        "description": "The endpoint that is meant.",
        "schema": {**TEXT, "enum": [plan.name for plan in plans]},
    }


def _csv(row: dict[str, Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([row, row.values()])
    return text.getvalue()
