"""What data there is, what was set aside, what is personal, who did what: the records that the commands print."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from drivetrain.web import quarantine
from drivetrain.web.answering import answer
from drivetrain.web.api.actions import json_of
from drivetrain.web.asking import DeskOf, SoughtOf
from drivetrain.web.quarantine import Act, Chosen
from drivetrain.web.security import same_origin

router = APIRouter(prefix="/api/v1", tags=["data"])

Page = Annotated[int, Query(ge=1)]


@router.get("/data/{name:path}")
def figures(desk: DeskOf, name: str, version: int | None = None, against: int | None = None) -> Response:
    """What a table version holds, column by column, and what moved since another."""
    return answer(desk.data(name, version=version, against=against))


@router.get("/history/{name:path}")
def history(desk: DeskOf, name: str, limit: Annotated[int, Query(ge=1, le=500)] = 30) -> Response:
    """What each batch brought a table, and how its columns moved from version to version."""
    return answer(desk.history(name, limit=limit))


@router.get("/quarantine")
def heaps(desk: DeskOf) -> Response:
    """What of each source is set aside, by rule and batch."""
    return answer(desk.quarantine.list())


@router.get("/quarantine/{name:path}")
def set_aside(desk: DeskOf, name: str, page: Page = 1, rule: str | None = None, batch: int | None = None) -> Response:
    """Rows of a source that were set aside, a page at a time, private values masked."""
    return answer(quarantine.leaf(desk, name, page, Chosen(rule, batch)))


async def act_of(request: Request) -> Act:
    """What a JSON body asks for; raises what :func:`~drivetrain.web.api.actions.json_of` raises."""
    return await json_of(request, Act, 'such as {"rule": "dep_time", "because": "…"}')


ActOf = Annotated[Act, Depends(act_of)]


@router.post("/quarantine/{name}/readmit", dependencies=[Depends(same_origin)])
def readmit(desk: DeskOf, name: str, act: ActOf) -> Response:
    """Brings rows back through prepare and contract; what is still bad stays."""
    return answer(quarantine.readmit(desk, name, act))


@router.post("/quarantine/{name}/drop", dependencies=[Depends(same_origin)])
def drop(desk: DeskOf, name: str, act: ActOf) -> Response:
    """Removes rows for good."""
    return answer({"source": name, "dropped": quarantine.drop(desk, name, act)})


@router.get("/privacy")
def privacy(desk: DeskOf) -> Response:
    """What personal data there is: where, why, how long, and who read it."""
    return answer(desk.privacy.report())


@router.get("/audit")
def audit(
    desk: DeskOf,
    sought: SoughtOf,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=0, le=5000)] = 20,
    verify: bool = False,  # noqa: FBT001, FBT002 - a field of the address
    head: str | None = None,
) -> Response:
    """Who did what, when, to what; with verify, whether that account is whole."""
    return answer(
        desk.audit(sought.about, what=sought.what, who=sought.who, skip=skip, limit=limit, verify=verify, head=head)
    )
