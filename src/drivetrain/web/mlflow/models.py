"""``registered-models/…``: names, their tags and aliases."""

from __future__ import annotations

from typing import get_args

import msgspec

from drivetrain.core.errors import RefusedError, UnknownName
from drivetrain.core.records import AliasName
from drivetrain.registry.tracking import models, versions
from drivetrain.registry.tracking.looking import search_models
from drivetrain.registry.tracking.search import page
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.shapes import Pair, Shape

ACTOR = "MLflow client"
_LIMIT = 1_000


class Create(msgspec.Struct):
    """A new name."""

    name: str
    description: str = ""
    tags: list[Pair] = []


class ByName(msgspec.Struct):
    """One model."""

    name: str


class Describe(ByName):
    """What it is, in words."""

    description: str = ""


class Rename(ByName, kw_only=True):
    """Another name."""

    new_name: str


class Latest(ByName):
    """Of which stages; all where none is named."""

    stages: list[str] = []


class Tag(ByName, kw_only=True):
    """A tag, or the name of one."""

    key: str
    value: str = ""


class Aliased(ByName, kw_only=True):
    """An alias."""

    alias: str


class Point(Aliased, kw_only=True):
    """An alias, and the version it shall point at."""

    version: int


class Search(msgspec.Struct):
    """Which models."""

    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


def create(desk: Desk, asked: Create) -> Shape:
    """A new name."""
    made = models.create(desk.store, asked.name, description=asked.description, tags=shapes.mapping(asked.tags))
    return {"registered_model": shapes.registered_model(desk.store, made)}


def get(desk: Desk, asked: ByName) -> Shape:
    """One model."""
    return {"registered_model": shapes.registered_model(desk.store, models.find(desk.store, asked.name))}


def search(desk: Desk, asked: Search) -> Shape:
    """Models by name."""
    found = search_models(models.every(desk.store), asked.filter, asked.order_by)
    shown, token = page(found, asked.page_token, asked.max_results, limit=_LIMIT)
    return {
        "registered_models": [shapes.registered_model(desk.store, one) for one in shown],
        "next_page_token": token,
    }


def describe(desk: Desk, asked: Describe) -> Shape:
    """What it is, in words."""
    found = models.describe(desk.store, asked.name, asked.description)
    return {"registered_model": shapes.registered_model(desk.store, found)}


def rename(desk: Desk, asked: Rename) -> Shape:
    """Another name."""
    found = models.rename(desk.store, asked.name, asked.new_name)
    return {"registered_model": shapes.registered_model(desk.store, found)}


def delete(desk: Desk, asked: ByName) -> Shape:
    """Deletes a model and its versions."""
    models.delete(desk.store, asked.name)
    return {}


def latest(desk: Desk, asked: Latest) -> Shape:
    """The newest version of each stage."""
    models.find(desk.store, asked.name)
    wanted = {stage.lower() for stage in asked.stages}
    found = [one for one in shapes.latest(desk.store, asked.name) if not wanted or one.stage.lower() in wanted]
    return {"model_versions": [shapes.model_version(desk.store, one) for one in found]}


def set_tag(desk: Desk, asked: Tag) -> Shape:
    """Sets a tag."""
    models.tag(desk.store, asked.name, asked.key, asked.value)
    return {}


def delete_tag(desk: Desk, asked: Tag) -> Shape:
    """Takes a tag away."""
    models.tag(desk.store, asked.name, asked.key, None)
    return {}


def set_alias(desk: Desk, asked: Point) -> Shape:
    """Points an alias at a version; the champion of a model of the project is promoted, which its gates must allow."""
    version = versions.find(desk.store, asked.name, asked.version)
    if not _is_own(desk, asked.name, asked.alias):
        models.point(desk.store, asked.name, asked.alias, asked.version)
        return {}
    if asked.alias != "champion":
        raise RefusedError(
            f"{asked.alias} of {asked.name} is set by the project itself", do="Choose another alias, or promote it"
        )
    if versions.judged(desk.store, version) is None:
        raise RefusedError(
            f"{asked.name} v{asked.version} was registered but not judged, so it can't be champion",
            do=f"Run: drivetrain mlflow judge {asked.name} {asked.version}",
        )
    desk.promote(asked.name, asked.version, because="The alias was set by an MLflow client.", actor=ACTOR)
    return {}


def delete_alias(desk: Desk, asked: Aliased) -> Shape:
    """Takes an alias away."""
    if _is_own(desk, asked.name, asked.alias):
        raise RefusedError(
            f"{asked.alias} of {asked.name} is set by the project itself",
            do=f"Roll back instead: drivetrain rollback {asked.name}",
        )
    models.point(desk.store, asked.name, asked.alias, None)
    return {}


def by_alias(desk: Desk, asked: Aliased) -> Shape:
    """The version that an alias points at."""
    found = models.aliases(desk.store, models.find(desk.store, asked.name)).get(asked.alias)
    if found is None:
        raise UnknownName(f"registered model {asked.name!r} has no alias {asked.alias!r}")
    return {"model_version": shapes.model_version(desk.store, versions.find(desk.store, asked.name, found))}


def _is_own(desk: Desk, name: str, alias: str) -> bool:
    return name in desk.models and alias in get_args(AliasName)


ROUTES = (
    Route("POST", "registered-models/create", Create, create),
    Route("GET", "registered-models/get", ByName, get),
    Route("GET", "registered-models/search", Search, search),
    Route("PATCH", "registered-models/update", Describe, describe),
    Route("POST", "registered-models/rename", Rename, rename),
    Route("DELETE", "registered-models/delete", ByName, delete),
    Route("POST", "registered-models/get-latest-versions", Latest, latest),
    Route("GET", "registered-models/get-latest-versions", Latest, latest),
    Route("POST", "registered-models/set-tag", Tag, set_tag),
    Route("DELETE", "registered-models/delete-tag", Tag, delete_tag),
    Route("POST", "registered-models/alias", Point, set_alias),
    Route("DELETE", "registered-models/alias", Aliased, delete_alias),
    Route("GET", "registered-models/alias", Aliased, by_alias),
)
