"""``/models``: versions, how good each is, what it had to meet, and how it was made."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from drivetrain.core.errors import NotFound
from drivetrain.core.records import Alias, BiasReport, Evaluation, ModelVersion, Run
from drivetrain.evaluate.bias.wording import findings
from drivetrain.web import figures, lineage
from drivetrain.web.answered import answered
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.pages.bias import report_behind
from drivetrain.web.rendering import page
from drivetrain.web.security import CARD_POLICY

router = APIRouter(include_in_schema=False)


@router.get("/models")
def models(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every model, with its versions and the runs that became none."""
    catalog = desk.store.catalog
    shelves = []
    for name in desk.models:
        versions = sorted(catalog.find(ModelVersion, name), key=lambda one: -one.version)
        kept = {one.run_id for one in versions}
        shelves.append(
            {
                "name": name,
                "versions": versions,
                "evaluations": {one.run_id: one for one in catalog.find(Evaluation, name)},
                "aliases": aliases(desk, name),
                "looked": bool(catalog.find(BiasReport, name, limit=1)),
                "runs": [run for run in catalog.find(Run, name) if run.run_id not in kept],
            }
        )
    return page(request, "models.html", shelves=shelves, metric=desk.metric)


@router.get("/models/{name}/versions/{number}")
def version(request: Request, desk: DeskOf, name: str, number: int) -> HTMLResponse:
    """One version: the report on it."""
    found = version_of(desk, name, number)
    catalog = desk.store.catalog
    evaluation = catalog.get(Evaluation, found.run_id)
    looked = report_behind(catalog, found)
    return page(
        request,
        "version.html",
        version=found,
        run=catalog.get(Run, found.run_id),
        evaluation=evaluation,
        bias=looked,
        bias_findings=findings(looked) if looked else [],
        aliases=[alias for alias, pointed in aliases(desk, name).items() if pointed == number],
        calibration=figures.calibration(evaluation.calibration) if evaluation else [],
        importance=figures.importance(evaluation.importance) if evaluation else [],
        tree=lineage.upward(catalog, found.ref),
        metric=desk.metric,
        **answered(catalog, found.run_id),
    )


@router.get("/models/{name}/versions/{number}/card")
def card(desk: DeskOf, name: str, number: int) -> Response:
    """The model card, a document of its own."""
    found = version_of(desk, name, number)
    if found.card is None:
        raise NotFound(f"version {number} of {name} has no model card")
    return Response(
        desk.store.blobs.get(found.card), media_type="text/html", headers={"Content-Security-Policy": CARD_POLICY}
    )


@router.get("/runs/{run_id}")
def run(request: Request, desk: DeskOf, run_id: str) -> HTMLResponse:
    """One training run, whatever became of it."""
    found = desk.store.catalog.get(Run, run_id)
    if found is None:
        raise NotFound(f"no run is called {run_id!r}", do="The models page lists those there are")
    versions = [one for one in desk.store.catalog.find(ModelVersion, found.model) if one.run_id == run_id]
    tree = lineage.upward(desk.store.catalog, found.ref)
    return page(request, "run.html", run=found, versions=versions, tree=tree)


def version_of(desk: Desk, name: str, number: int) -> ModelVersion:
    """One version.

    Raises:
        NotFound: There is no such model or version.
    """
    found = desk.store.catalog.get(ModelVersion, f"{name}@{number}")
    if found is None:
        raise NotFound(f"model {name} has no version {number}", do="The models page lists those there are")
    return found


def aliases(desk: Desk, name: str) -> dict[str, int | None]:
    """Alias → the version it points at."""
    return {one.alias: one.version for one in desk.store.catalog.find(Alias, name)}
