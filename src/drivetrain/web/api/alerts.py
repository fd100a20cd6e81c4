"""Alerts, who is told, and how good they are; reports of a time."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from drivetrain.core.errors import NotFound
from drivetrain.monitor.reporting.page import to_json
from drivetrain.web.answering import answer
from drivetrain.web.api.actions import json_of
from drivetrain.web.asking import DeskOf
from drivetrain.web.changes import ACTOR, check_reason
from drivetrain.web.picture import take
from drivetrain.web.security import same_origin

router = APIRouter(prefix="/api/v1", tags=["alerts"])


class Judgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person makes of an alert."""

    because: str = ""
    useful: bool | None = None
    actor: str = ACTOR


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A silence that is asked for; ``lasting`` such as ``2h``."""

    rule: str
    lasting: str
    because: str
    endpoint: str | None = None
    actor: str = ACTOR


async def judgement_of(request: Request) -> Judgement:
    """The judgement that a JSON body states; raises what :func:`json_of` raises."""
    return await json_of(request, Judgement, 'such as {"because": "a known outage", "useful": false}')


async def quiet_of(request: Request) -> Quiet:
    """The silence that a JSON body asks for; raises what :func:`json_of` raises."""
    return await json_of(request, Quiet, 'such as {"rule": "drift", "lasting": "2h", "because": "…"}')


JudgementOf = Annotated[Judgement, Depends(judgement_of)]
QuietOf = Annotated[Quiet, Depends(quiet_of)]


@router.get("/alerts/quality")
def quality(desk: DeskOf, endpoint: str | None = None) -> Response:
    """How good alerts were: all rules together, then each."""
    return answer(desk.alerts.quality(endpoint))


@router.get("/sinks")
def sinks(desk: DeskOf) -> Response:
    """Everybody who is told, and what waits for whom."""
    return answer(desk.alerts.sinks())


@router.get("/silences")
def silences(desk: DeskOf) -> Response:
    """Silences that have not ended."""
    return answer(desk.alerts.silences())


@router.get("/endpoints/{name}/report")
def report(desk: DeskOf, name: str, since: str | None = None, until: str | None = None) -> Response:
    """What a monitor saw over a time, its alerts and what was decided."""
    take(desk, name)
    return Response(to_json(desk.report(name, since=since, until=until)), media_type="application/json")


@router.get("/endpoints/{name}/story")
def story(desk: DeskOf, name: str, since: str | None = None, until: str | None = None) -> Response:
    """What an endpoint went through over a time: lanes over one axis, and chapters."""
    take(desk, name)
    return answer(desk.story(name, since=since, until=until))


@router.get("/watched/{name}/report")
def data_report(desk: DeskOf, name: str, since: str | None = None, until: str | None = None) -> Response:
    """The same of a table or feature view that is watched without an endpoint."""
    if name not in desk.watched:
        raise NotFound(
            f"nothing is watched as {name!r}", expected=", ".join(desk.watched) or "a watch that is declared"
        )
    return Response(to_json(desk.report(name, since=since, until=until)), media_type="application/json")


@router.post("/alerts/{key}/acknowledge", dependencies=[Depends(same_origin)])
def acknowledge(desk: DeskOf, key: str, said: JudgementOf) -> Response:
    """Keeps that a person saw an alert."""
    return answer(desk.alerts.acknowledge(key, actor=said.actor))


@router.post("/alerts/{key}/resolve", dependencies=[Depends(same_origin)])
def resolve(desk: DeskOf, key: str, said: JudgementOf) -> Response:
    """Ends an alert, or keeps whether it was useful."""
    if desk.alerts.get(key).state == "open":
        check_reason(said.because)
    return answer(desk.alerts.resolve(key, because=said.because, useful=said.useful, actor=said.actor))


@router.post("/silences", dependencies=[Depends(same_origin)])
def silence(desk: DeskOf, said: QuietOf) -> Response:
    """Tells nobody of a rule for a time."""
    check_reason(said.because)
    made = desk.alerts.silence(said.rule, said.lasting, because=said.because, endpoint=said.endpoint, actor=said.actor)
    return answer(made, 201)


@router.post("/silences/{key}/end", dependencies=[Depends(same_origin)])
def unsilence(desk: DeskOf, key: str) -> Response:
    """Ends a silence before its time."""
    return answer(desk.alerts.unsilence(key, actor=ACTOR))
