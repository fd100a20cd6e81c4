"""Our records in MLflow's shapes: moments in milliseconds, pairs as lists, numbers that JSON lacks as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import (
    Dataset,
    LoggedModel,
    Metric,
    RegisteredModel,
    RegisteredVersion,
    Run,
    TrackedExperiment,
)
from drivetrain.registry.tracking import logged, models, runs, versions
from drivetrain.registry.tracking.experiments import LOCATION
from drivetrain.registry.tracking.looking import STATUSES
from drivetrain.registry.tracking.place import Place
from drivetrain.registry.tracking.runs import RunSaid

Shape = dict[str, Any]


class Pair(msgspec.Struct):
    """A tag or a parameter."""

    key: str
    value: str = ""


def pairs(said: Mapping[str, str]) -> list[Shape]:
    """Tags or parameters."""
    return [{"key": key, "value": value} for key, value in said.items()]


def mapping(said: Iterable[Pair]) -> dict[str, str]:
    """Tags or parameters, as they came."""
    return {one.key: one.value for one in said}


def number(value: float) -> float | str:
    """A number, as text where JSON has none such."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def millis(moment: Micros | None) -> int:
    """A moment; 0 where there is none."""
    return 0 if moment is None else moment // 1000


def metric(point: Metric, **more: str) -> Shape:
    """A point of a metric's history."""
    shape: Shape = {
        "key": point.key,
        "value": number(point.value),
        "timestamp": millis(point.at),
        "step": point.step,
        **more,
    }
    return shape | msgspec.json.decode(point.about) if point.about else shape


def experiment(one: TrackedExperiment) -> Shape:
    """An experiment."""
    return {
        "experiment_id": one.experiment_id,
        "name": one.name,
        "artifact_location": one.location,
        "lifecycle_stage": stage(one.deleted),
        "creation_time": millis(one.at),
        "last_update_time": millis(one.updated),
        "tags": pairs(one.tags),
    }


def run_info(place: Place, run: Run) -> Shape:
    """A run without what it said."""
    tracked = runs.tracked_of(run)
    shape = {
        "run_id": run.run_id,
        "run_uuid": run.run_id,
        "run_name": tracked.name,
        "experiment_id": tracked.experiment,
        "user_id": tracked.user,
        "status": STATUSES[run.status],
        "start_time": millis(run.at),
        "artifact_uri": runs.artifact_uri(place, run),
        "lifecycle_stage": stage(tracked.deleted),
    }
    return shape if tracked.ended is None else shape | {"end_time": millis(tracked.ended)}


def run(place: Place, said: RunSaid) -> Shape:
    """A run with what it said."""
    tracked = said.tracked
    return {
        "info": run_info(place, said.run),
        "data": {
            "metrics": [metric(one) for one in said.metrics.values()],
            "params": pairs(said.parameters),
            "tags": pairs(said.tags),
        },
        "inputs": {
            "dataset_inputs": [{"dataset": dataset(one), "tags": pairs(one.tags)} for one in tracked.datasets],
            "model_inputs": [{"model_id": one} for one in tracked.read_models],
        },
        "outputs": {"model_outputs": [{"model_id": one, "step": step} for one, step in tracked.made_models]},
    }


def dataset(one: Dataset) -> Shape:
    """Data that a run read."""
    shape = {"name": one.name, "digest": one.digest, "source_type": one.source_type, "source": one.source}
    return shape | {key: text for key in ("schema", "profile") if (text := getattr(one, key))}


def logged_model(place: Place, one: LoggedModel, metrics: Mapping[str, Metric]) -> Shape:
    """A logged model."""
    registered = logged.registrations(place, one.model_id)
    return {
        "info": {
            "model_id": one.model_id,
            "experiment_id": one.experiment,
            "name": one.name,
            "creation_timestamp_ms": millis(one.at),
            "last_updated_timestamp_ms": millis(one.updated),
            "artifact_uri": logged.artifact_uri(place, one),
            "status": f"LOGGED_MODEL_{one.status if one.status != 'failed' else 'upload_failed'}".upper(),
            "model_type": one.model_type,
            "source_run_id": one.run_id,
            "tags": pairs(one.tags),
            "registrations": [{"name": each.model, "version": str(each.version)} for each in registered],
        },
        "data": {"params": pairs(one.params), "metrics": [metric(each) for each in metrics.values()]},
    }


def registered_model(place: Place, one: RegisteredModel) -> Shape:
    """A registered model with its newest version of each stage."""
    pointed = models.aliases(place, one)
    return {
        "name": one.name,
        "creation_timestamp": millis(one.at),
        "last_updated_timestamp": millis(one.updated),
        "description": one.description,
        "latest_versions": [model_version(place, each) for each in latest(place, one.name)],
        "tags": pairs(one.tags),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in sorted(pointed.items())],
    }


def latest(place: Place, name: str) -> list[RegisteredVersion]:
    """The newest version of each stage."""
    newest: dict[str, RegisteredVersion] = {}
    for version in versions.of_model(place, name):
        newest.setdefault(version.stage, version)
    return list(newest.values())


def model_version(place: Place, one: RegisteredVersion) -> Shape:
    """A registered version; what may be served of it is its status message."""
    return {
        "name": one.model,
        "version": str(one.version),
        "creation_timestamp": millis(one.at),
        "last_updated_timestamp": millis(one.updated),
        "user_id": one.user,
        "current_stage": one.stage,
        "description": one.description,
        "source": one.source,
        "run_id": one.run_id,
        "run_link": one.run_link,
        "model_id": one.model_id,
        "status": "READY",
        "status_message": standing(place, one),
        "tags": pairs(one.tags),
        "aliases": _aliases(place, one),
    }


def standing(place: Place, one: RegisteredVersion) -> str:
    """Whether a version may be served, and what is lacking, in a sentence."""
    judged = versions.judged(place, one)
    if judged is not None:
        passed = "passed its gates" if judged.gates.passed else "was refused by its gates"
        return f"It was judged and {passed}; the {judged.engine} engine serves it."
    if one.unservable:
        return f"It can't be served here: {one.unservable}."
    command = f"drivetrain mlflow judge {one.model} {one.version}"
    return f"The {one.engine} engine could serve it; {command} puts it to the gates."


def address(one: RegisteredVersion) -> str:
    """Where a version's files can be read."""
    return f"{LOCATION}{one.root}" if one.root else one.source


def stage(deleted: Micros | None) -> str:
    """MLflow's word for whether something is set aside."""
    return "active" if deleted is None else "deleted"


def _aliases(place: Place, one: RegisteredVersion) -> list[str]:
    pointed = models.aliases(place, models.find(place, one.model))
    return sorted(alias for alias, number in pointed.items() if number == one.version)
