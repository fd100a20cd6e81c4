"""``/features``: what the models see, in words, and how fresh it is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.records import FeatureDrift
from drivetrain.web.asking import DeskOf
from drivetrain.web.definitions import derived_words, request_words, view_words
from drivetrain.web.desk import Desk
from drivetrain.web.picture import Picture, pictures
from drivetrain.web.rendering import page
from drivetrain.web.words import plural

router = APIRouter(include_in_schema=False)


@router.get("/features")
def features(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every view, request function and derived view."""
    seen = pictures(desk)
    return page(
        request,
        "features.html",
        views=[view_words(view, desk.sources[view.source.name]) for view in desk.views.values()],
        functions=[
            *(request_words(one) for one in desk.requests.values()),
            *(derived_words(one, desk.sources) for one in desk.derived.values()),
        ],
        used=used_by(desk, seen),
        ages={name: age for one in seen if one.latest for name, age in one.latest.median_ages.items()},
        drift=latest_drift(seen),
        importance=shares(seen),
    )


def used_by(desk: Desk, seen: list[Picture]) -> dict[str, list[str]]:
    """View or function → the champions that read it, and how many other versions do."""
    users: dict[str, list[str]] = {}
    for name in (*desk.views, *desk.requests, *desk.derived):
        readers = [
            (one, number) for one in seen for number, version in one.versions.items() if name in version.features
        ]
        champions = [f"{one.model}, version {number}" for one, number in readers if number == one.champion]
        others = len(readers) - len(champions)
        users[name] = [*champions, *([plural(others, "other version")] if others else [])]
    return users


def latest_drift(seen: list[Picture]) -> dict[str, FeatureDrift]:
    """Feature → its drift in the newest window."""
    return {one.feature: one for picture in seen if picture.latest for one in picture.latest.drift}


def shares(seen: list[Picture]) -> dict[str, float]:
    """Feature → its importance in the champion."""
    found: dict[str, float] = {}
    for picture in seen:
        evaluation = picture.evaluations.get(picture.champion or 0)
        if evaluation is not None:
            found.update(evaluation.importance)
    return found
