"""``model-versions/…``: registered, described, moved between stages, searched."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import RegisteredVersion
from drivetrain.registry.tracking import versions
from drivetrain.registry.tracking.looking import search_versions
from drivetrain.registry.tracking.search import page
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow import shapes
from drivetrain.web.mlflow.route import Route
from drivetrain.web.mlflow.shapes import Pair, Shape

_LIMIT = 200_000


class Create(msgspec.Struct):
    """A new version."""

    name: str
    source: str
    run_id: str = ""
    model_id: str = ""
    run_link: str = ""
    description: str = ""
    tags: list[Pair] = []


class ByNumber(msgspec.Struct):
    """One version."""

    name: str
    version: int


class Describe(ByNumber):
    """What it is, in words."""

    description: str = ""


class Move(ByNumber, kw_only=True):
    """Another stage."""

    stage: str
    archive_existing_versions: bool = False


class Tag(ByNumber, kw_only=True):
    """A tag, or the name of one."""

    key: str
    value: str = ""


class Search(msgspec.Struct):
    """Which versions."""

    filter: str = ""
    max_results: int = 10_000
    order_by: list[str] = []
    page_token: str = ""


def create(desk: Desk, asked: Create) -> Shape:
    """A new version; whether it can be served is said in its status message."""
    made = versions.create(
        desk.store,
        asked.name,
        asked.source,
        run_id=asked.run_id,
        model_id=asked.model_id,
        run_link=asked.run_link,
        description=asked.description,
        tags=shapes.mapping(asked.tags),
    )
    return _shown(desk, made)


def get(desk: Desk, asked: ByNumber) -> Shape:
    """One version."""
    return _shown(desk, versions.find(desk.store, asked.name, asked.version))


def address(desk: Desk, asked: ByNumber) -> Shape:
    """Where its files can be read."""
    return {"artifact_uri": shapes.address(versions.find(desk.store, asked.name, asked.version))}


def search(desk: Desk, asked: Search) -> Shape:
    """Versions by model, the newest first."""
    found = search_versions(versions.every(desk.store), asked.filter, asked.order_by)
    shown, token = page(found, asked.page_token, asked.max_results, limit=_LIMIT)
    return {"model_versions": [shapes.model_version(desk.store, one) for one in shown], "next_page_token": token}


def describe(desk: Desk, asked: Describe) -> Shape:
    """What it is, in words."""
    return _shown(desk, versions.describe(desk.store, asked.name, asked.version, asked.description))


def move(desk: Desk, asked: Move) -> Shape:
    """Another stage."""
    moved = versions.move(desk.store, asked.name, asked.version, asked.stage, archive=asked.archive_existing_versions)
    return _shown(desk, moved)


def delete(desk: Desk, asked: ByNumber) -> Shape:
    """Deletes a version."""
    versions.delete(desk.store, asked.name, asked.version)
    return {}


def set_tag(desk: Desk, asked: Tag) -> Shape:
    """Sets a tag."""
    versions.tag(desk.store, asked.name, asked.version, asked.key, asked.value)
    return {}


def delete_tag(desk: Desk, asked: Tag) -> Shape:
    """Takes a tag away."""
    versions.tag(desk.store, asked.name, asked.version, asked.key, None)
    return {}


def _shown(desk: Desk, version: RegisteredVersion) -> Shape:
    return {"model_version": shapes.model_version(desk.store, version)}


ROUTES = (
    Route("POST", "model-versions/create", Create, create),
    Route("GET", "model-versions/get", ByNumber, get),
    Route("GET", "model-versions/get-download-uri", ByNumber, address),
    Route("GET", "model-versions/search", Search, search),
    Route("PATCH", "model-versions/update", Describe, describe),
    Route("POST", "model-versions/transition-stage", Move, move),
    Route("DELETE", "model-versions/delete", ByNumber, delete),
    Route("POST", "model-versions/set-tag", Tag, set_tag),
    Route("DELETE", "model-versions/delete-tag", Tag, delete_tag),
)
