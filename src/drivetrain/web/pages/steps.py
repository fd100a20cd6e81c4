"""``/steps``: what a run would do and why, and what was done."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.records import Step
from drivetrain.web.asking import DeskOf
from drivetrain.web.rendering import page

router = APIRouter(include_in_schema=False)

_RECENT = 80


@router.get("/steps")
def steps(request: Request, desk: DeskOf) -> HTMLResponse:
    """The plan, and the newest steps."""
    done = desk.store.catalog.find(Step, limit=_RECENT)
    return page(request, "steps.html", planned=list(desk.plan()), done=done)
