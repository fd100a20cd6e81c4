"""``/alerts``: what was raised, in words, what became of it, who was told, and whether it was worth telling."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.core.errors import DrivetrainError, NotFound, RequestError, StoreError
from drivetrain.core.records import Alert
from drivetrain.web.asking import DeskOf, FormOf
from drivetrain.web.changes import ACTOR, check_reason
from drivetrain.web.desk import Desk
from drivetrain.web.errors import status_of
from drivetrain.web.rendering import page
from drivetrain.web.security import same_origin
from drivetrain.web.story import evidence_text

router = APIRouter(include_in_schema=False)

_MOST = 100
_LASTING = (("1h", "an hour"), ("4h", "four hours"), ("1d", "a day"), ("7d", "a week"))
_WORTH = {"": None, "useful": True, "noise": False}
_DONE = {
    "acknowledged": "Done: it is on record that you saw it.",
    "resolved": "Done: the alert was ended.",
    "silenced": "Done: nobody is told of it until the silence ends.",
    "unsilenced": "Done: the silence is over; what is still open was told.",
}


@router.get("/alerts")
def alerts(request: Request, desk: DeskOf, done: str = "") -> HTMLResponse:
    """Open alerts, silences, sinks, alert quality, then alerts that are resolved."""
    return _show(request, desk, note=_DONE.get(done, ""))


@router.get("/alerts/{key}")
def alert(request: Request, desk: DeskOf, key: str, done: str = "") -> HTMLResponse:
    """One alert, and what may be done about it."""
    return _show_one(request, desk, key, note=_DONE.get(done, ""))


@router.post("/alerts/{key}/acknowledge", dependencies=[Depends(same_origin)])
def acknowledge(request: Request, desk: DeskOf, key: str) -> Response:
    """Keeps that a person saw it."""
    one = _found(desk, key)
    return _try(
        lambda: desk.alerts.acknowledge(one.id, actor=ACTOR),
        lambda refusal: _show_one(request, desk, key, refusal=refusal),
        f"/alerts/{one.id}?done=acknowledged",
    )


@router.post("/alerts/{key}/resolve", dependencies=[Depends(same_origin)])
def resolve(request: Request, desk: DeskOf, form: FormOf, key: str) -> Response:
    """Ends it, or keeps whether it was useful."""
    one = _found(desk, key)
    because = form.get("because", "")

    def change() -> None:
        worth = form.get("useful", "")
        if worth not in _WORTH:
            raise RequestError("not a judgement", field="useful", found=repr(worth), expected="useful or noise")
        if one.state == "open":
            check_reason(because)
        desk.alerts.resolve(one.id, because=because, useful=_WORTH[worth], actor=ACTOR)

    return _try(
        change,
        lambda refusal: _show_one(request, desk, key, refusal=refusal, form=form),
        f"/alerts/{one.id}?done=resolved",
    )


@router.post("/alerts/{key}/silence", dependencies=[Depends(same_origin)])
def silence(request: Request, desk: DeskOf, form: FormOf, key: str) -> Response:
    """Silences its rule on its endpoint."""
    one = _found(desk, key)

    def change() -> None:
        check_reason(form.get("because", ""))
        desk.alerts.silence(
            one.rule, form.get("lasting", ""), because=form["because"], endpoint=one.endpoint, actor=ACTOR
        )

    return _try(
        change,
        lambda refusal: _show_one(request, desk, key, refusal=refusal, form=form),
        f"/alerts/{one.id}?done=silenced",
    )


@router.post("/silences/{key}/end", dependencies=[Depends(same_origin)])
def unsilence(request: Request, desk: DeskOf, key: str) -> Response:
    """Ends a silence before its time."""
    return _try(
        lambda: desk.alerts.unsilence(key, actor=ACTOR),
        lambda refusal: _show(request, desk, refusal=refusal),
        "/alerts?done=unsilenced",
    )


def _try(change: Callable[[], object], refused: Callable[[DrivetrainError], Response], then: str) -> Response:
    """Does what a form asks, and shows the page again: with what was refused where it was."""
    try:
        change()
    except StoreError:
        raise
    except DrivetrainError as error:
        return refused(error)
    return RedirectResponse(then, 303)


def _show(request: Request, desk: Desk, *, note: str = "", refusal: DrivetrainError | None = None) -> HTMLResponse:
    every = desk.alerts.list(state="all")
    resolved = sorted((one for one in every if one.state == "resolved"), key=lambda one: -(one.resolved or one.at))
    quality = desk.alerts.quality()
    return page(
        request,
        "alerts.html",
        status=200 if refusal is None else status_of(refusal),
        opened=[one for one in every if one.state == "open"],
        pending=desk.alerts.list(state="pending"),
        resolved=resolved[:_MOST],
        evidence={one.id: evidence_text(one.evidence) for one in every},
        watched=bool(desk.monitors or desk.watched),
        silences=desk.alerts.silences(),
        sinks=desk.alerts.sinks(),
        together=quality[0],
        quality=quality[1:],
        note=note,
        refusal="" if refusal is None else str(refusal),
    )


def _show_one(
    request: Request,
    desk: Desk,
    key: str,
    *,
    note: str = "",
    refusal: DrivetrainError | None = None,
    form: dict[str, str] | None = None,
) -> HTMLResponse:
    one = _found(desk, key)
    return page(
        request,
        "alert.html",
        status=200 if refusal is None else status_of(refusal),
        alert=one,
        watch=desk.watched.get(one.endpoint),
        evidence=evidence_text(one.evidence),
        silences=[each for each in desk.alerts.silences() if each.covers(one.endpoint, one.rule)],
        lasting=_LASTING,
        note=note,
        refusal="" if refusal is None else str(refusal),
        form=form or {},
    )


def _found(desk: Desk, key: str) -> Alert:
    found = desk.store.catalog.get(Alert, key)
    if found is None or not found.shown:
        raise NotFound(f"no alert is called {key!r}")
    return found
