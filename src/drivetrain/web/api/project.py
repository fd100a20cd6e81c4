"""The project as a whole: name, health, plan, status."""

from __future__ import annotations

from fastapi import APIRouter, Response

from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.definitions import derived_words, request_words, view_words
from drivetrain.web.health import assess
from drivetrain.web.picture import pictures, take

router = APIRouter(prefix="/api/v1", tags=["project"])


@router.get("/project")
def project(desk: DeskOf) -> Response:
    """What the project is, what it declares, and whether each endpoint is healthy."""
    return answer(
        {
            "name": desk.name,
            "objective": desk.objective,
            "metric": desk.metric,
            "sources": list(desk.sources),
            "views": list(desk.views),
            "requests": list(desk.requests),
            "derived": list(desk.derived),
            "models": list(desk.models),
            "monitors": list(desk.monitors),
            "endpoints": {picture.endpoint: assess(picture) for picture in pictures(desk)},
        }
    )


@router.get("/status")
def status(desk: DeskOf) -> Response:
    """The project's state in figures."""
    return answer(dict(desk.status()))


@router.get("/revision")
def revision(desk: DeskOf) -> Response:
    """Grows whenever anything is kept."""
    return answer({"revision": desk.store.catalog.revision()})


@router.get("/plan")
def plan(desk: DeskOf) -> Response:
    """What a run would do, and why."""
    return answer([{"name": one.name, "due": one.due, "why": one.why} for one in desk.plan()])


@router.get("/features")
def features(desk: DeskOf) -> Response:
    """Feature views, request functions and derived views, in words."""
    return answer(
        {
            "views": [view_words(one, desk.sources[one.source.name]) for one in desk.views.values()],
            "requests": [request_words(one) for one in desk.requests.values()],
            "derived": [derived_words(one, desk.sources) for one in desk.derived.values()],
        }
    )


@router.get("/endpoints/{name}")
def endpoint(desk: DeskOf, name: str) -> Response:
    """One endpoint: its health, aliases and newest window."""
    picture = take(desk, name)
    return answer(
        {
            "endpoint": name,
            "model": picture.model,
            "champion": picture.champion,
            "health": assess(picture),
            "aliases": picture.aliases,
            "latest": picture.latest,
        }
    )
