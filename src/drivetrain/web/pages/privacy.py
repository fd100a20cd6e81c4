"""``/privacy``: what personal data there is, where, why, how long, who read it, and who was forgotten."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.web.asking import DeskOf
from drivetrain.web.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/privacy")
def privacy(request: Request, desk: DeskOf) -> HTMLResponse:
    """The report."""
    return page(request, "privacy.html", report=desk.privacy.report())
