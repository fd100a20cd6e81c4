"""From an endpoint to what a serving worker must know of it."""

from __future__ import annotations

from drivetrain.features.request import RequestFeatures
from drivetrain.loop.endpoint import Endpoint
from drivetrain.serve.plan import EndpointPlan, FieldType, RequestField

FOLDER_VARIABLE = "DRIVETRAIN_PROJECT_FOLDER"
"""Names the project's folder to serving workers."""


def plan_of(endpoint: Endpoint) -> EndpointPlan:
    """What a worker must know of an endpoint.

    A request holds the inputs of the model's request features, the keys of its views' entities, and the key of the
    label's source, so that feedback can name what the prediction was about.
    """
    model = endpoint.model
    fields: dict[str, RequestField] = {}
    for request in model.requests:
        for name, kind in _inputs(request).items():
            fields.setdefault(name, RequestField(name, kind))
    for view in model.views:
        for key in view.entity.keys:
            fields.setdefault(
                key, RequestField(key, "string", nullable=True, description=f"names the {view.entity.name}")
            )
    entity = model.label.source.key
    for key in entity:
        fields.setdefault(key, RequestField(key, "string", description="what the prediction is about"))
    return EndpointPlan(
        name=endpoint.name,
        model=model.name,
        fields=tuple(fields.values()),
        views=model.views,
        requests=model.requests,
        entity=entity,
        description=endpoint.description,
    )


def _inputs(request: RequestFeatures) -> dict[str, FieldType]:
    return dict(request.inputs)  # type: ignore[arg-type]
