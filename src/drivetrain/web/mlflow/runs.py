"""``runs/…``: begun, ended, searched, deleted; what they read and made."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import RequestError, UsageError
from drivetrain.core.records import Dataset
from drivetrain.registry.tracking import runs
from drivetrain.registry.tracking.looking import STATUSES, search_runs
from drivetrain.registry.tracking.runs import Status
from drivetrain.registry.tracking.search import page
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.experiments import VIEWS, visible
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.shapes import Pair, Shape

_LIMIT = 50_000
_OURS: dict[str, Status] = {theirs: ours for ours, theirs in STATUSES.items()}  # type: ignore[misc]


class Create(msgspec.Struct):
    """A new run; its start in milliseconds."""

    experiment_id: str = "0"
    user_id: str = ""
    run_name: str = ""
    start_time: int = 0
    tags: list[Pair] = []


class ById(msgspec.Struct):
    """One run; older clients say ``run_uuid``."""

    run_id: str = ""
    run_uuid: str = ""

    @property
    def id(self) -> str:
        """The run's id."""
        if not (self.run_id or self.run_uuid):
            raise RequestError("no run is named", field="run_id", expected="the id of a run")
        return self.run_id or self.run_uuid


class Update(ById):
    """How a run stands; its end in milliseconds."""

    status: str = ""
    end_time: int = 0
    run_name: str = ""


class Search(msgspec.Struct):
    """Which runs."""

    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: str = "ACTIVE_ONLY"
    max_results: int = 1000
    order_by: list[str] = []
    page_token: str = ""


class DatasetSaid(msgspec.Struct):
    """Data, as a run describes them."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str = ""
    profile: str = ""


class DatasetRead(msgspec.Struct):
    """Data that a run read, and in what role."""

    dataset: DatasetSaid
    tags: list[Pair] = []


class ModelRead(msgspec.Struct):
    """A logged model that a run read or made."""

    model_id: str
    step: int = 0


class Inputs(ById):
    """What a run read."""

    datasets: list[DatasetRead] = []
    models: list[ModelRead] = []


class Outputs(ById):
    """What a run made."""

    models: list[ModelRead] = []


class Legacy(ById):
    """A model that an older client logged, in its own words."""

    model_json: str = ""


def create(desk: Desk, asked: Create) -> Shape:
    """A new run."""
    said = runs.create(
        desk.store,
        asked.experiment_id,
        name=asked.run_name,
        user=asked.user_id,
        started=asked.start_time * 1000 or None,
        tags=shapes.mapping(asked.tags),
    )
    return {"run": shapes.run(desk.store, said)}


def update(desk: Desk, asked: Update) -> Shape:
    """How a run stands."""
    if asked.status and asked.status not in _OURS:
        raise UsageError("no such status of a run", found=repr(asked.status), expected=", ".join(_OURS))
    run = runs.update(
        desk.store,
        asked.id,
        status=_OURS[asked.status] if asked.status else None,
        ended=asked.end_time * 1000 or None,
        name=asked.run_name,
    )
    return {"run_info": shapes.run_info(desk.store, run)}


def get(desk: Desk, asked: ById) -> Shape:
    """A run with what it said."""
    return {"run": shapes.run(desk.store, runs.whole(desk.store, [runs.find(desk.store, asked.id)])[0])}


def search(desk: Desk, asked: Search) -> Shape:
    """Runs of experiments, the newest first."""
    if asked.run_view_type not in VIEWS:
        raise UsageError("no such view", found=repr(asked.run_view_type), expected=", ".join(VIEWS))
    seen = [
        run
        for experiment_id in dict.fromkeys(asked.experiment_ids)
        for run in runs.of_experiment(desk.store, experiment_id)
        if visible(asked.run_view_type, deleted=runs.tracked_of(run).deleted is not None)
    ]
    seen.sort(key=lambda run: (-run.at, run.run_id))
    found = search_runs(desk.store, seen, asked.filter, asked.order_by)
    shown, token = page(found, asked.page_token, asked.max_results, limit=_LIMIT)
    return {
        "runs": [shapes.run(desk.store, one) for one in runs.whole(desk.store, shown)],
        "next_page_token": token,
    }


def delete(desk: Desk, asked: ById) -> Shape:
    """Sets a run aside."""
    runs.set_deleted(desk.store, asked.id, deleted=True)
    return {}


def restore(desk: Desk, asked: ById) -> Shape:
    """Brings a run back."""
    runs.set_deleted(desk.store, asked.id, deleted=False)
    return {}


def log_inputs(desk: Desk, asked: Inputs) -> Shape:
    """What a run read."""
    datasets = [Dataset(**msgspec.structs.asdict(one.dataset), tags=shapes.mapping(one.tags)) for one in asked.datasets]
    runs.add_inputs(desk.store, asked.id, datasets, [one.model_id for one in asked.models])
    return {}


def log_outputs(desk: Desk, asked: Outputs) -> Shape:
    """What a run made."""
    runs.add_outputs(desk.store, asked.id, [(one.model_id, one.step) for one in asked.models])
    return {}


def log_model(desk: Desk, asked: Legacy) -> Shape:
    """A model as older clients tell of it: kept as the tag in which they look for it."""
    try:
        said = msgspec.json.decode(asked.model_json)
    except msgspec.DecodeError as error:
        raise RequestError(f"the model's description is not JSON: {error}", field="model_json") from None
    tag = "mlflow.log-model.history"
    before = desk.store.run_log.tags([asked.id], [tag])[asked.id].get(tag, "[]")
    history = [*msgspec.json.decode(before), said]
    runs.log(desk.store, asked.id, tags={tag: msgspec.json.encode(history).decode()})
    return {}


ROUTES = (
    Route("POST", "runs/create", Create, create),
    Route("POST", "runs/update", Update, update),
    Route("GET", "runs/get", ById, get),
    Route("POST", "runs/search", Search, search),
    Route("POST", "runs/delete", ById, delete),
    Route("POST", "runs/restore", ById, restore),
    Route("POST", "runs/log-inputs", Inputs, log_inputs),
    Route("POST", "runs/outputs", Outputs, log_outputs),
    Route("POST", "runs/log-model", Legacy, log_model),
)
