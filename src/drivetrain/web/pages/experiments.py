"""``/experiments``: what MLflow's clients logged: experiments, their runs, and how each run went."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.errors import UsageError
from drivetrain.core.records import Run
from drivetrain.registry.tracking import experiments as kept
from drivetrain.registry.tracking import runs
from drivetrain.web import lineage, tracked
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow.shapes import standing
from drivetrain.web.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/experiments")
def experiments(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every experiment."""
    web = desk.settings.web
    return page(request, "experiments.html", rows=tracked.listed(desk), address=f"http://{web.host}:{web.port}")


@router.get("/experiments/{experiment_id}")
def experiment(
    request: Request, desk: DeskOf, experiment_id: str, filter: str = "", order: str = "", page_number: int = 1
) -> HTMLResponse:
    """One experiment's runs."""
    found, number, refusal = kept.find(desk.store, experiment_id), max(page_number, 1), ""
    try:
        shown = tracked.shown(desk, experiment_id, filter, order, number)
    except UsageError as error:
        shown, refusal = tracked.Shown((), 0, (), ()), str(error)
    return page(
        request,
        "experiment.html",
        status=400 if refusal else 200,
        experiment=found,
        shown=shown,
        refusal=refusal,
        asked={"filter": filter, "order": order},
        address=urlencode({name: text for name, text in (("filter", filter), ("order", order)) if text}),
        page_number=number,
        pages=max(1, -(-shown.found // tracked.PAGE)),
    )


def tracked_run(request: Request, desk: Desk, run: Run) -> HTMLResponse:
    """One run that a client logged."""
    said = runs.whole(desk.store, [run])[0]
    return page(
        request,
        "tracked.html",
        run=run,
        said=said,
        experiment=kept.find(desk.store, said.tracked.experiment),
        courses=[tracked.course(desk, run, one) for one in said.metrics.values()],
        files=tracked.files_of(desk, run),
        versions=[(one, standing(desk.store, one)) for one in tracked.versions_of(desk, run)],
        tree=lineage.upward(desk.store.catalog, run.ref),
    )
