"""``/timeline``: every decision, newest first, with what it rests on; and the story of one endpoint."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.records import Decision
from drivetrain.monitor.reporting.story import STEPS
from drivetrain.monitor.reporting.timeline import drawing
from drivetrain.web.asking import DeskOf
from drivetrain.web.picture import take
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


@router.get("/timeline/{name}")
def story(request: Request, desk: DeskOf, name: str, since: str = "", until: str = "") -> HTMLResponse:
    """What an endpoint went through on one axis, and in chapters, the newest first."""
    picture = take(desk, name)
    found = desk.story(name, since=since or None, until=until or None)
    return page(
        request,
        "story.html",
        picture=picture,
        story=found,
        drawing=drawing(found),
        step_names=STEPS,
        since=since,
        until=until,
    )


@router.get("/news")
def news(request: Request, desk: DeskOf, since: int = 0) -> HTMLResponse:
    """A line for the page's head when something was kept since it was made; empty while nothing was."""
    return page(request, "news.html", fresh=desk.store.catalog.revision() > since, since=since)
