"""``/timeline``: every decision, newest first, with what it rests on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.records import Decision
from drivetrain.web.asking import DeskOf
from drivetrain.web.rendering import page
from drivetrain.web.story import decided, tell

router = APIRouter(include_in_schema=False)

_MOST = 400


@router.get("/timeline")
def timeline(request: Request, desk: DeskOf, show: str = "decisions") -> HTMLResponse:
    """Decisions alone, or with everything that came in (``show=all``)."""
    found = desk.store.catalog.find(Decision)
    chapters = tell(found)
    shown = chapters if show == "all" else decided(chapters)
    return page(
        request, "timeline.html", chapters=shown[:_MOST], everything=show == "all", left=max(0, len(shown) - _MOST)
    )


@router.get("/news")
def news(request: Request, desk: DeskOf, since: int = 0) -> HTMLResponse:
    """A line for the page's head when something was kept since it was made; empty while nothing was."""
    return page(request, "news.html", fresh=desk.store.catalog.revision() > since, since=since)
