"""``/monitoring/{name}/report``: a report of a time, as a document of its own."""

from __future__ import annotations

from fastapi import APIRouter, Response

from drivetrain.core.errors import NotFound
from drivetrain.monitor.reporting.page import to_html
from drivetrain.web.asking import DeskOf
from drivetrain.web.picture import take
from drivetrain.web.security import CARD_POLICY

router = APIRouter(include_in_schema=False)


@router.get("/monitoring/{name}/report")
def report(desk: DeskOf, name: str, since: str | None = None, until: str | None = None) -> Response:
    """The page that ``drivetrain report --output`` writes."""
    take(desk, name)
    made = desk.report(name, since=since or None, until=until or None)
    return Response(to_html(made), media_type="text/html", headers={"Content-Security-Policy": CARD_POLICY})


@router.get("/watched/{name}/report")
def data_report(desk: DeskOf, name: str, since: str | None = None, until: str | None = None) -> Response:
    """The same of a table or feature view that is watched without an endpoint."""
    if name not in desk.watched:
        raise NotFound(f"nothing is watched as {name!r}", do="Declare it: project.watch_table(…)")
    made = desk.report(name, since=since or None, until=until or None)
    return Response(to_html(made), media_type="text/html", headers={"Content-Security-Policy": CARD_POLICY})
