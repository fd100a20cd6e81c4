"""``/predictions``: one answer, and everything it rests on."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.web import lineage
from drivetrain.web.asking import DeskOf
from drivetrain.web.rendering import page
from drivetrain.web.tracing import recent, traced

router = APIRouter(include_in_schema=False)


@router.get("/predictions")
def predictions(request: Request, desk: DeskOf, id: str = "") -> Response:
    """The newest answers, and a field to ask for one."""
    if id.strip():
        return RedirectResponse(request.url_for("prediction", prediction_id=id.strip()), 303)
    return page(request, "predictions.html", rows=[row for name in desk.endpoints for row in recent(desk, name)])


@router.get("/predictions/{prediction_id:path}", name="prediction")
def prediction(request: Request, desk: DeskOf, prediction_id: str) -> HTMLResponse:
    """The chain from a request to its outcome."""
    found = traced(desk, prediction_id)
    tree = lineage.upward(desk.store.catalog, found.version.ref) if found.version else None
    return page(request, "prediction.html", traced=found, tree=tree)
