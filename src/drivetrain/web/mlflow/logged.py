"""``logged-models/…``: models as runs log them."""

from __future__ import annotations

import msgspec

from drivetrain.core.errors import UsageError
from drivetrain.core.records import LoggedModel
from drivetrain.core.records.tracking import LoggedStatus
from drivetrain.registry.tracking import files, logged
from drivetrain.registry.tracking.filter import Order
from drivetrain.registry.tracking.looking import LOGGED, search_logged
from drivetrain.registry.tracking.search import page
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.shapes import Pair, Shape

_LIMIT = 50_000
_STATUSES: dict[str | int, LoggedStatus] = {
    "LOGGED_MODEL_PENDING": "pending",
    "LOGGED_MODEL_READY": "ready",
    "LOGGED_MODEL_UPLOAD_FAILED": "failed",
    "1": "pending",
    "2": "ready",
    "3": "failed",
}


class Create(msgspec.Struct):
    """A new model."""

    experiment_id: str
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Pair] = []
    tags: list[Pair] = []


class ById(msgspec.Struct):
    """One model."""

    model_id: str


class Get(ById):
    """One model."""

    allow_deleted: bool = False


class Finish(ById, kw_only=True):
    """Whether its files are whole."""

    status: str


class Tags(ById):
    """Tags to set."""

    tags: list[Pair] = []


class Untag(ById, kw_only=True):
    """A tag to take away."""

    tag_key: str


class Params(ById):
    """Parameters to add."""

    params: list[Pair] = []


class Sorting(msgspec.Struct):
    """What to sort by."""

    field_name: str
    ascending: bool = True


class Search(msgspec.Struct):
    """Which models."""

    experiment_ids: list[str] = []
    filter: str = ""
    max_results: int = 100
    order_by: list[Sorting] = []
    page_token: str = ""


class Listing(ById):
    """Which folder of a model's files."""

    artifact_directory_path: str = ""


def create(desk: Desk, asked: Create) -> Shape:
    """A new model."""
    made = logged.create(
        desk.store,
        asked.experiment_id,
        name=asked.name,
        model_type=asked.model_type,
        run_id=asked.source_run_id,
        params=shapes.mapping(asked.params),
        tags=shapes.mapping(asked.tags),
    )
    return _shown(desk, made)


def get(desk: Desk, asked: Get) -> Shape:
    """One model."""
    return _shown(desk, logged.find(desk.store, asked.model_id, deleted=asked.allow_deleted))


def finish(desk: Desk, asked: Finish) -> Shape:
    """Its files are whole, or it failed."""
    if asked.status not in _STATUSES:
        raise UsageError("no such status of a logged model", found=repr(asked.status), expected="LOGGED_MODEL_READY")
    return _shown(desk, logged.finish(desk.store, asked.model_id, _STATUSES[asked.status]))


def delete(desk: Desk, asked: ById) -> Shape:
    """Sets a model aside."""
    logged.set_deleted(desk.store, asked.model_id)
    return {}


def search(desk: Desk, asked: Search) -> Shape:
    """Models of experiments, the newest first."""
    seen = [one for experiment in dict.fromkeys(asked.experiment_ids) for one in logged.every(desk.store, experiment)]
    found = search_logged(desk.store, seen, asked.filter, [_order(one) for one in asked.order_by])
    shown, token = page(found, asked.page_token, asked.max_results, limit=_LIMIT)
    metrics = desk.store.run_log.latest([one.model_id for one in shown])
    return {
        "models": [shapes.logged_model(desk.store, one, metrics[one.model_id]) for one in shown],
        "next_page_token": token,
    }


def set_tags(desk: Desk, asked: Tags) -> Shape:
    """Sets tags."""
    return _shown(desk, logged.tag(desk.store, asked.model_id, dict(shapes.mapping(asked.tags))))


def delete_tag(desk: Desk, asked: Untag) -> Shape:
    """Takes a tag away."""
    logged.tag(desk.store, asked.model_id, {asked.tag_key: None})
    return {}


def add_params(desk: Desk, asked: Params) -> Shape:
    """Adds parameters."""
    logged.add_params(desk.store, asked.model_id, shapes.mapping(asked.params))
    return {}


def listing(desk: Desk, asked: Listing) -> Shape:
    """What a folder of its files holds."""
    model = logged.find(desk.store, asked.model_id)
    folder = files.checked(asked.artifact_directory_path, empty=True)
    found = files.listing(desk.store, model.root, folder)
    return {
        "root_uri": logged.artifact_uri(desk.store, model),
        "files": [
            {"path": f"{folder}/{one.path}".lstrip("/"), "is_dir": one.is_dir, "file_size": one.size} for one in found
        ],
    }


def _order(asked: Sorting) -> Order:
    entity, dot, key = asked.field_name.partition(".")
    if not dot:
        return Order("attribute", LOGGED.attribute(asked.field_name), not asked.ascending)
    known = LOGGED.entities.get(entity.lower())
    if known is None:
        raise UsageError("no such field to sort by", found=repr(asked.field_name), expected="metrics.KEY, for example")
    return Order(known, LOGGED.attribute(key) if known == "attribute" else key.strip('`"'), not asked.ascending)


def _shown(desk: Desk, model: LoggedModel) -> Shape:
    metrics = desk.store.run_log.latest([model.model_id])[model.model_id]
    return {"model": shapes.logged_model(desk.store, model, metrics)}


ROUTES = (
    Route("POST", "logged-models", Create, create),
    Route("POST", "logged-models/search", Search, search),
    Route("GET", "logged-models/{model_id}", Get, get),
    Route("PATCH", "logged-models/{model_id}", Finish, finish),
    Route("DELETE", "logged-models/{model_id}", ById, delete),
    Route("PATCH", "logged-models/{model_id}/tags", Tags, set_tags),
    Route("DELETE", "logged-models/{model_id}/tags/{tag_key}", Untag, delete_tag),
    Route("POST", "logged-models/{model_id}/params", Params, add_params),
    Route("GET", "logged-models/{model_id}/artifacts/directories", Listing, listing),
)
