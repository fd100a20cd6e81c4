"""Logged models: what runs made, before anybody gives it a name in the registry."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, UnknownName
from drivetrain.core.ids import new_id
from drivetrain.core.records import LoggedModel, RegisteredVersion
from drivetrain.core.records.tracking import LoggedStatus
from drivetrain.registry.tracking import experiments
from drivetrain.registry.tracking.place import Place, change


def create(
    place: Place,
    experiment_id: str,
    *,
    name: str = "",
    model_type: str = "",
    run_id: str = "",
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> LoggedModel:
    """Begins a model; its files come next, and then :func:`finish`.

    Raises:
        UnknownName: There is no such experiment.
        UsageError: The experiment is deleted.
    """
    experiments.active(place, experiment_id)
    model_id = f"m-{new_id().replace('-', '')}"
    now = clock.now()
    made = LoggedModel(
        at=now,
        model_id=model_id,
        experiment=experiment_id,
        name=name or f"model-{model_id[-8:]}",
        model_type=model_type,
        run_id=run_id,
        updated=now,
        params=dict(params or {}),
        tags=dict(tags or {}),
    )
    place.catalog.commit(made, expect={made.ref: 0})
    return made


def find(place: Place, model_id: str, *, deleted: bool = False) -> LoggedModel:
    """A logged model.

    Args:
        place: Where it is.
        model_id: Its id.
        deleted: Whether one that was deleted is found too.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(LoggedModel, model_id)
    if found is None or (found.deleted is not None and not deleted):
        raise UnknownName(f"no logged model has the id {model_id!r}")
    return found


def finish(place: Place, model_id: str, status: LoggedStatus) -> LoggedModel:
    """Says that a model's files are whole, or that it failed."""
    find(place, model_id)
    return change(place, LoggedModel, model_id, lambda model: replace(model, status=status, updated=clock.now()))


def set_deleted(place: Place, model_id: str) -> None:
    """Sets a model aside; its files stay."""
    find(place, model_id)
    change(place, LoggedModel, model_id, lambda model: replace(model, deleted=clock.now()))


def tag(place: Place, model_id: str, tags: Mapping[str, str | None]) -> LoggedModel:
    """Sets tags, or takes away those without a value."""
    find(place, model_id)

    def tagged(model: LoggedModel) -> LoggedModel:
        kept = {name: value for name, value in {**model.tags, **tags}.items() if value is not None}
        return replace(model, tags=kept, updated=clock.now())

    return change(place, LoggedModel, model_id, tagged)


def add_params(place: Place, model_id: str, params: Mapping[str, str]) -> LoggedModel:
    """Adds parameters, which never change.

    Raises:
        Conflict: One has another value already.
    """
    find(place, model_id)

    def added(model: LoggedModel) -> LoggedModel:
        other = next((name for name, value in params.items() if model.params.get(name, value) != value), None)
        if other is not None:
            raise Conflict(f"parameter {other!r} of model {model_id} has a value already, and parameters never change")
        return replace(model, params={**model.params, **params}, updated=clock.now())

    return change(place, LoggedModel, model_id, added)


def every(place: Place, experiment_id: str) -> list[LoggedModel]:
    """An experiment's models that are not deleted, the newest first."""
    return [one for one in place.catalog.find(LoggedModel, experiment_id) if one.deleted is None]


def registrations(place: Place, model_id: str) -> list[RegisteredVersion]:
    """The versions that a logged model became, the newest first."""
    links = place.catalog.links(source=f"{LoggedModel.kind}:{model_id}")
    keys = [link.target.partition(":")[2] for link in links if link.role == "registered"]
    found = (place.catalog.get(RegisteredVersion, key) for key in reversed(keys))
    return [one for one in found if one is not None and not one.deleted]


def artifact_uri(place: Place, model: LoggedModel) -> str:
    """Where a model's files are."""
    location = experiments.find(place, model.experiment).location
    return f"{location}/models/{model.model_id}/artifacts"
