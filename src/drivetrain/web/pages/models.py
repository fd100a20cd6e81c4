"""``/models``: versions, how good each is, what it had to meet, and how it was made."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from drivetrain.core.errors import NotFound
from drivetrain.core.records import Alias, BiasReport, Evaluation, ModelVersion, RegisteredVersion, Run
from drivetrain.evaluate.bias.wording import findings
from drivetrain.evaluate.cost.told import cost_told
from drivetrain.train.tuning.choosing import told_value
from drivetrain.web import figures, lineage
from drivetrain.web.answered import answered
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.mlflow.shapes import standing
from drivetrain.web.pages.bias import report_behind
from drivetrain.web.pages.experiments import tracked_run
from drivetrain.web.picture import shown_metric
from drivetrain.web.rendering import page
from drivetrain.web.security import CARD_POLICY

_CAME = {"multiclass": "was right", "regression": "what came on average", "quantile": "stayed below"}
"""What calibration sets beside what was said, where that is not what came true."""

router = APIRouter(include_in_schema=False)


@router.get("/models")
def models(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every model, with its versions and the runs that became none."""
    catalog = desk.store.catalog
    shelves = []
    for name in desk.models:
        versions = sorted(catalog.find(ModelVersion, name), key=lambda one: -one.version)
        kept = {one.run_id for one in versions}
        evaluations = {one.run_id: one for one in catalog.find(Evaluation, name)}
        shelves.append(
            {
                "name": name,
                "versions": versions,
                "evaluations": evaluations,
                "aliases": aliases(desk, name),
                "metric": shown_metric(desk.metric, list(evaluations.values())),
                "looked": bool(catalog.find(BiasReport, name, limit=1)),
                "runs": [run for run in catalog.find(Run, name) if run.run_id not in kept],
            }
        )
    registered = [(one, standing(desk.store, one)) for one in catalog.find(RegisteredVersion) if not one.deleted]
    return page(request, "models.html", shelves=shelves, registered=registered)


@router.get("/models/{name}/versions/{number}")
def version(request: Request, desk: DeskOf, name: str, number: int) -> HTMLResponse:
    """One version: the report on it."""
    found = version_of(desk, name, number)
    catalog = desk.store.catalog
    evaluation = catalog.get(Evaluation, found.run_id)
    looked = report_behind(catalog, found)
    shares = evaluation is None or evaluation.task.kind != "regression"
    return page(
        request,
        "version.html",
        version=found,
        run=catalog.get(Run, found.run_id),
        evaluation=evaluation,
        bias=looked,
        bias_findings=findings(looked) if looked else [],
        aliases=[alias for alias, pointed in aliases(desk, name).items() if pointed == number],
        calibration=figures.calibration(evaluation.calibration, shares=shares) if evaluation else [],
        shares=shares,
        came=_CAME.get(evaluation.task.kind, "came true") if evaluation else "",
        calibration_scale=figures.calibration_scale(evaluation.calibration) if evaluation else None,
        importance=figures.importance(evaluation.importance) if evaluation else [],
        tree=lineage.upward(catalog, found.ref),
        metric=shown_metric(desk.metric, [evaluation] if evaluation else []),
        **answered(catalog, found.run_id),
        **cost_told(evaluation),
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


@router.get("/models/{name}/diff")
def diff(request: Request, desk: DeskOf, name: str, a: int | None = None, b: int | None = None) -> HTMLResponse:
    """Two versions compared; by default the newest with the champion, or with the one before."""
    numbers = sorted((one.version for one in desk.store.catalog.find(ModelVersion, name)), reverse=True)
    before, after = _pair(desk, name, numbers, a, b)
    found = desk.diff(before, after, name) if before != after else None
    return page(request, "diff.html", name=name, found=found, numbers=numbers, before=before, after=after)


def _pair(desk: Desk, name: str, numbers: list[int], a: int | None, b: int | None) -> tuple[int, int]:
    """Which two are compared; those that are named must be there."""
    if not numbers:
        raise NotFound(f"model {name} has no versions", do="Run: drivetrain run")
    for number in (a, b):
        if number is not None:
            version_of(desk, name, number)
    after = numbers[0] if b is None else b
    standing = aliases(desk, name).get("champion")
    others = [number for number in (standing, *numbers) if number is not None and number != after]
    return (a if a is not None else next(iter(others), after)), after


@router.get("/runs/{run_id}")
def run(request: Request, desk: DeskOf, run_id: str) -> HTMLResponse:
    """One training run, whatever became of it."""
    found = desk.store.catalog.get(Run, run_id)
    if found is None:
        raise NotFound(f"no run is called {run_id!r}", do="The models page lists those there are")
    if found.tracked is not None:
        return tracked_run(request, desk, found)
    versions = [one for one in desk.store.catalog.find(ModelVersion, found.model) if one.run_id == run_id]
    tree = lineage.upward(desk.store.catalog, found.ref)
    return page(request, "run.html", run=found, versions=versions, tree=tree, told_value=told_value)


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
