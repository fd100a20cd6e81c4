"""From an endpoint to what a serving worker must know of it."""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from drivetrain.core.clock import SECOND
from drivetrain.core.errors import ProjectError
from drivetrain.core.settings import ServeSettings
from drivetrain.data.column import Column
from drivetrain.data.privacy.vault import Vault
from drivetrain.data.source import Source
from drivetrain.data.treatment import kept_type
from drivetrain.features.derived import Computed
from drivetrain.features.view import Origin
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.model import Model
from drivetrain.serve.access import STANDARD_OUTPUT
from drivetrain.serve.plan import EndpointPlan, FieldType, RequestField

FOLDER_VARIABLE = "DRIVETRAIN_PROJECT_FOLDER"
"""Names the project's folder to serving workers."""


def serve_settings(project: Definitions) -> ServeSettings:
    """The inference server's settings; files that are named from the project's folder are named from anywhere."""
    settings = project.settings.serve
    placed = {
        name: str(project.folder / path)
        for name in ("tls_certificate", "tls_key", "tls_ca", "access_log")
        if (path := getattr(settings, name)) and path != STANDARD_OUTPUT
    }
    return replace(settings, **placed)


def plan_of(endpoint: Endpoint) -> EndpointPlan:
    """What a worker must know of an endpoint.

    A request holds the inputs of the model's request features and derived views, the keys of its views' entities, and
    the key of the label's source, so that feedback can name what the prediction was about. A field is treated as the
    column of its name in the label's source, which training rows have it from.

    Raises:
        ProjectError: A field can't be treated as its column is.
    """
    model = endpoint.model
    fields: dict[str, RequestField] = {}
    for request in model.computed:
        for name, kind in _inputs(request).items():
            fields.setdefault(name, RequestField(name, kind))
    for view in model.views:
        for key in view.entity.keys:
            words = f"names the {view.entity.name}"
            fields.setdefault(
                key, RequestField(key, _type_of(view.source, view.on.get(key, key)), nullable=True, description=words)
            )
    entity = model.label.source.key
    for key in entity:
        kind = _type_of(model.label.source, key)
        fields.setdefault(key, RequestField(key, kind, description="what the prediction is about"))
    classes = classes_of(model)
    declared = model.label.source.contract.columns if isinstance(model.label.source, Source) else {}
    return EndpointPlan(
        name=endpoint.name,
        model=model.name,
        fields=tuple(
            dataclasses.replace(_treated(field, declared.get(field.name), model), privacy=classes.fields[field.name])
            for field in fields.values()
        ),
        views=model.views,
        requests=model.computed,
        entity=entity,
        features_away=endpoint.features_away,
        deadline=None if endpoint.deadline is None else endpoint.deadline / SECOND,
        fallback=endpoint.fallback,
        description=endpoint.description,
        keep_sensitive=endpoint.keep_sensitive,
        features=classes.features,
    )


def _treated(field: RequestField, column: Column | None, model: Model) -> RequestField:
    """The field with what is done to it: callers send what the column held before that."""
    if column is None or column.treat is None:
        return field
    if isinstance(column.treat, Vault):
        raise ProjectError(
            f"model {model.name!r} reads {field.name!r} of a request, which is sealed in {model.label.source.name!r}",
            do="Leave it out of the model's features, or treat it with dt.pseudonym(…)",
        )
    kept = kept_type(column.treat, column.type)
    return dataclasses.replace(field, type=column.type, treat=column.treat, kept=None if kept == column.type else kept)


def _type_of(origin: Origin, column: str) -> FieldType:
    """The type that a source's contract gives a column; text where it says nothing."""
    declared = origin.contract.columns.get(column) if isinstance(origin, Source) else None
    return "string" if declared is None else declared.type


def _inputs(request: Computed) -> dict[str, FieldType]:
    return dict(request.inputs)  # type: ignore[arg-type]
