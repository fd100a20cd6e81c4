"""Runs, models and versions that are taken in from another tracking server: under their own ids, once."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core.errors import Conflict, NameTaken, RefusedError, UnknownName
from drivetrain.core.records import Link, LoggedModel, RegisteredVersion, Run, TrackedExperiment
from drivetrain.registry.tracking import experiments, models, versions
from drivetrain.registry.tracking.place import Place

ROLE = "imported"
"""Of the link from where something was taken in to what it is here."""


def origin(place: Place, ref: str) -> str:
    """Where a record was taken in from, such as ``mlflow:http://host:5000/runs/…``; empty where it is our own."""
    return next((link.source for link in place.catalog.links(target=ref) if link.role == ROLE), "")


def experiment(place: Place, name: str) -> TrackedExperiment:
    """The experiment of that name, which is made where there is none."""
    try:
        return experiments.create(place, name)
    except NameTaken:
        return experiments.active(place, experiments.by_name(place, name).experiment_id)


def begin_run(place: Place, run: Run, source: str) -> bool:
    """Puts a run on record that goes on elsewhere, or went on there.

    Returns:
        Whether it is new.

    Raises:
        RefusedError: Another run has its id.
    """
    assert run.tracked is not None, "it is a tracked run"
    links = [Link(f"{TrackedExperiment.kind}:{run.tracked.experiment}", run.ref, "experiment")]
    return _begin(place, run, source, links)


def begin_model(place: Place, model: LoggedModel, source: str) -> bool:
    """The same of a logged model."""
    links = [Link(f"{Run.kind}:{model.run_id}", model.ref, "made")] if model.run_id else []
    return _begin(place, model, source, links)


def version(place: Place, name: str, address: str, source: str, *, run_id: str, model_id: str) -> RegisteredVersion:
    """The version that stands here for one elsewhere; the next number where there is none yet.

    Args:
        place: Where it goes.
        name: The registered model here.
        address: Where the files are here.
        source: Which version it is there.
        run_id: The run here.
        model_id: The logged model here; or empty.
    """
    known = _versions_from(place, name, source)
    if known:
        return known[0]
    _held(place, name)
    made = versions.create(
        place, name, address, run_id=run_id, model_id=model_id, tags={"drivetrain.imported_from": source}
    )
    place.catalog.commit(links=[Link(source, made.ref, ROLE)])
    return made


def _held(place: Place, name: str) -> None:
    try:
        models.held(place, name)
    except UnknownName:
        models.create(place, name)


def _versions_from(place: Place, name: str, source: str) -> list[RegisteredVersion]:
    tagged = place.catalog.find(RegisteredVersion, name)
    return [one for one in tagged if one.tags.get("drivetrain.imported_from") == source and not one.deleted]


def _begin(place: Place, record: Run | LoggedModel, source: str, links: Sequence[Link]) -> bool:
    try:
        place.catalog.commit(record, links=[*links, Link(source, record.ref, ROLE)], expect={record.ref: 0})
    except Conflict:
        known = origin(place, record.ref)
        if known == source:
            return False
        raise RefusedError(
            f"{record.ref} is there already, and is another",
            found=f"one from {known}" if known else "one of this project's own",
            expected=f"none, or that of {source}",
        ) from None
    return True
