"""``/quarantine``: rows that were set aside, why, and the two things a person may do with them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.core.errors import DrivetrainError, NotFound, RequestError, StoreError
from drivetrain.data.veil import veil_of
from drivetrain.web import quarantine
from drivetrain.web.asking import DeskOf, FieldsOf
from drivetrain.web.desk import Desk
from drivetrain.web.errors import status_of
from drivetrain.web.quarantine import Chosen
from drivetrain.web.rendering import page
from drivetrain.web.security import same_origin
from drivetrain.web.story import evidence_text

router = APIRouter(include_in_schema=False)

ChosenOf = Annotated[Chosen, Depends(quarantine.chosen_of)]


@router.get("/quarantine")
def everything(request: Request, desk: DeskOf) -> HTMLResponse:
    """What of each source is set aside."""
    return page(request, "quarantines.html", heaps=desk.quarantine.list())


@router.get("/quarantine/{name:path}")
def set_aside(
    request: Request, desk: DeskOf, chosen: ChosenOf, name: str, page_number: int = 1, done: str = ""
) -> HTMLResponse:
    """The rows of one source."""
    told = next((one.because for one in quarantine.done(desk, name) if one.id == done), "")
    return _show(request, desk, name, chosen, page_number=page_number, note=told)


@router.post("/quarantine/{name}/{what}", dependencies=[Depends(same_origin)])
def act(request: Request, desk: DeskOf, fields: FieldsOf, name: str, what: str) -> Response:
    """Brings rows back, or drops them, and shows what came of it."""
    if what not in {"readmit", "drop"}:
        raise NotFound(f"there is no page at {request.url.path}")
    given = {field: values[-1] for field, values in fields.items()}
    chosen = Chosen()
    before = quarantine.newest(desk, name)
    try:
        chosen = quarantine.chosen_of(given.get("rule", ""), given.get("batch", ""))
        wanted = quarantine.act_of(fields)
        (quarantine.readmit if what == "readmit" else quarantine.drop)(desk, name, wanted)
    except StoreError:
        raise
    except DrivetrainError as error:
        if isinstance(error, NotFound):
            raise
        return _show(request, desk, name, chosen, refusal=error, form=given, ticked=fields.get("row", []))
    made = quarantine.newest(desk, name)
    if made == before:
        nothing = RequestError("none of these rows is set aside any more", do="Look at what is, then decide again")
        return _show(request, desk, name, Chosen(), refusal=nothing, form=given)
    return RedirectResponse(f"/quarantine/{quote(name)}?{urlencode({'done': made})}", 303)


def _show(
    request: Request,
    desk: Desk,
    name: str,
    chosen: Chosen,
    *,
    page_number: int = 1,
    note: str = "",
    refusal: DrivetrainError | None = None,
    form: dict[str, str] | None = None,
    ticked: list[str] | None = None,
) -> HTMLResponse:
    leaf = quarantine.leaf(desk, name, page_number, chosen)
    past = quarantine.done(desk, name)
    asked = {"rule": chosen.rule, "batch": chosen.batch}
    return page(
        request,
        "quarantine.html",
        status=200 if refusal is None else status_of(refusal),
        name=name,
        leaf=leaf,
        chosen=chosen,
        asked=urlencode({key: value for key, value in asked.items() if value is not None}),
        partly=bool(veil_of(desk.sources[name]).withheld),
        columns=quarantine.columns(leaf.rows),
        done=[(one, evidence_text(one.evidence)) for one in past],
        note=note,
        refusal="" if refusal is None else str(refusal),
        form=form or {},
        ticked=ticked or [],
    )
