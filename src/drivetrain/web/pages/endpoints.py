"""``/endpoints``: who answers, how fast, and the two changes a person may make."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.core.errors import DrivetrainError, StoreError
from drivetrain.core.records import Policy
from drivetrain.web import changes, charts
from drivetrain.web.asking import DeskOf, FormOf
from drivetrain.web.desk import Desk
from drivetrain.web.errors import status_of
from drivetrain.web.health import assess
from drivetrain.web.picture import pictures, take
from drivetrain.web.policy import told
from drivetrain.web.rendering import page
from drivetrain.web.security import same_origin

router = APIRouter(include_in_schema=False)

_DONE = {"promoted": "Done: the version was promoted.", "rolled-back": "Done: the previous champion answers again."}


@router.get("/endpoints")
def endpoints(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every endpoint."""
    return page(request, "endpoints.html", seen=[(picture, assess(picture)) for picture in pictures(desk)])


@router.get("/endpoints/{name}")
def endpoint(request: Request, desk: DeskOf, name: str, done: str = "") -> HTMLResponse:
    """One endpoint."""
    return _show(request, desk, name, note=_DONE.get(done, ""))


@router.post("/endpoints/{name}/promote", dependencies=[Depends(same_origin)])
def promote(request: Request, desk: DeskOf, form: FormOf, name: str) -> Response:
    """Promotes a version, and shows the endpoint again."""
    model = take(desk, name).model
    try:
        changes.promote(desk, model, changes.change_of(form.get("because", ""), form.get("version", "")))
    except StoreError:
        raise
    except DrivetrainError as error:
        return _show(request, desk, name, refusal=error, form=form)
    return RedirectResponse(f"/endpoints/{name}?done=promoted", 303)


@router.post("/endpoints/{name}/rollback", dependencies=[Depends(same_origin)])
def rollback(request: Request, desk: DeskOf, form: FormOf, name: str) -> Response:
    """Goes back to the previous champion, and shows the endpoint again."""
    model = take(desk, name).model
    try:
        changes.rollback(desk, model, changes.change_of(form.get("because", ""), None))
    except StoreError:
        raise
    except DrivetrainError as error:
        return _show(request, desk, name, refusal=error, form=form)
    return RedirectResponse(f"/endpoints/{name}?done=rolled-back", 303)


def _show(
    request: Request,
    desk: Desk,
    name: str,
    *,
    note: str = "",
    refusal: DrivetrainError | None = None,
    form: dict[str, str] | None = None,
) -> HTMLResponse:
    picture = take(desk, name)
    return page(
        request,
        "endpoint.html",
        status=200 if refusal is None else status_of(refusal),
        picture=picture,
        health=assess(picture),
        shared=told(desk.store.catalog.get(Policy, name)),
        traffic=charts.traffic(picture),
        latency=charts.latency(picture),
        shadowed=[one for one in reversed(picture.reports) if one.shadow][:8],
        note=note,
        refusal="" if refusal is None else str(refusal),
        form=form or {},
        serve=desk.settings.serve,
    )
