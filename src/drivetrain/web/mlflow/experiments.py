"""``experiments/…``."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import TrackedExperiment
from drivetrain.registry.tracking import experiments, runs
from drivetrain.registry.tracking.looking import search_experiments
from drivetrain.registry.tracking.search import page
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.shapes import Pair, Shape

VIEWS = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")
_LIMIT = 50_000


class Create(msgspec.Struct):
    """A new experiment."""

    name: str
    artifact_location: str = ""
    tags: list[Pair] = []


class Search(msgspec.Struct):
    """Which experiments."""

    max_results: int = 1000
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: str = "ACTIVE_ONLY"


class ById(msgspec.Struct):
    """One experiment."""

    experiment_id: str


class ByName(msgspec.Struct):
    """One experiment."""

    experiment_name: str


class Rename(msgspec.Struct):
    """Another name."""

    experiment_id: str
    new_name: str


class Tag(msgspec.Struct):
    """A tag, or the name of one."""

    experiment_id: str
    key: str
    value: str = ""


class Datasets(msgspec.Struct):
    """Of which experiments."""

    experiment_ids: list[str]


def create(desk: Desk, asked: Create) -> Shape:
    """A new experiment."""
    made = experiments.create(desk.store, asked.name, asked.artifact_location, shapes.mapping(asked.tags))
    return {"experiment_id": made.experiment_id}


def search(desk: Desk, asked: Search) -> Shape:
    """Experiments, the newest first."""
    experiments.find(desk.store, experiments.DEFAULT)  # clients count on it
    seen = [one for one in experiments.every(desk.store) if visible(asked.view_type, deleted=one.deleted is not None)]
    found = search_experiments(seen, asked.filter, asked.order_by)
    shown, token = page(found, asked.page_token, asked.max_results, limit=_LIMIT)
    return {"experiments": [shapes.experiment(one) for one in shown], "next_page_token": token}


def get(desk: Desk, asked: ById) -> Shape:
    """One experiment."""
    return _shown(experiments.find(desk.store, asked.experiment_id))


def get_by_name(desk: Desk, asked: ByName) -> Shape:
    """One experiment."""
    return _shown(experiments.by_name(desk.store, asked.experiment_name))


def delete(desk: Desk, asked: ById) -> Shape:
    """Sets an experiment and its runs aside."""
    return _set_deleted(desk, asked.experiment_id, deleted=True)


def restore(desk: Desk, asked: ById) -> Shape:
    """Brings an experiment and its runs back."""
    return _set_deleted(desk, asked.experiment_id, deleted=False)


def rename(desk: Desk, asked: Rename) -> Shape:
    """Another name."""
    experiments.rename(desk.store, asked.experiment_id, asked.new_name)
    return {}


def set_tag(desk: Desk, asked: Tag) -> Shape:
    """Sets a tag."""
    experiments.tag(desk.store, asked.experiment_id, asked.key, asked.value)
    return {}


def delete_tag(desk: Desk, asked: Tag) -> Shape:
    """Takes a tag away."""
    experiments.tag(desk.store, asked.experiment_id, asked.key, None)
    return {}


def datasets(desk: Desk, asked: Datasets) -> Shape:
    """Data that an experiment's runs read, each once."""
    found: dict[tuple[str, ...], Shape] = {}
    for experiment_id in asked.experiment_ids:
        for run in runs.of_experiment(desk.store, experiment_id):
            for one in runs.tracked_of(run).datasets:
                context = one.tags.get("mlflow.data.context", "")
                summary = {"experiment_id": experiment_id, "name": one.name, "digest": one.digest, "context": context}
                found[tuple(summary.values())] = summary
    return {"dataset_summaries": list(found.values())}


def visible(view: str, *, deleted: bool) -> bool:
    """Whether what is deleted, or is not, is among what is asked for."""
    return view == "ALL" or deleted is (view == "DELETED_ONLY")


def _set_deleted(desk: Desk, experiment_id: str, *, deleted: bool) -> Shape:
    experiments.set_deleted(desk.store, experiment_id, deleted=deleted)
    for run in runs.of_experiment(desk.store, experiment_id):
        if (runs.tracked_of(run).deleted is not None) is not deleted:
            runs.set_deleted(desk.store, run.run_id, deleted=deleted)
    return {}


def _shown(found: TrackedExperiment) -> Shape:
    return {"experiment": shapes.experiment(found)}


ROUTES = (
    Route("POST", "experiments/create", Create, create),
    Route("POST", "experiments/search", Search, search),
    Route("GET", "experiments/search", Search, search),
    Route("GET", "experiments/get", ById, get),
    Route("GET", "experiments/get-by-name", ByName, get_by_name),
    Route("POST", "experiments/delete", ById, delete),
    Route("POST", "experiments/restore", ById, restore),
    Route("POST", "experiments/update", Rename, rename),
    Route("POST", "experiments/set-experiment-tag", Tag, set_tag),
    Route("POST", "experiments/delete-experiment-tag", Tag, delete_tag),
    Route("POST", "experiments/search-datasets", Datasets, datasets),
)
