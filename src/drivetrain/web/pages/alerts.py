"""``/alerts``: what was raised, in words, and what became of it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.records import Alert
from drivetrain.web.asking import DeskOf
from drivetrain.web.rendering import page
from drivetrain.web.story import evidence_text

router = APIRouter(include_in_schema=False)

_MOST = 100


@router.get("/alerts")
def alerts(request: Request, desk: DeskOf) -> HTMLResponse:
    """Open alerts, then those that are resolved."""
    order = {"critical": 0, "warning": 1, "info": 2}
    found = desk.store.catalog.find(Alert)
    return page(
        request,
        "alerts.html",
        opened=sorted((one for one in found if one.state == "open"), key=lambda one: (order[one.severity], -one.at)),
        resolved=[one for one in found if one.state == "resolved"][:_MOST],
        evidence={one.id: evidence_text(one.evidence) for one in found},
        watched=bool(desk.monitors),
    )
