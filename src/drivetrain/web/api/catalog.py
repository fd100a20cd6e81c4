"""Records as the catalog keeps them; rows and requests with private columns masked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from drivetrain.core.errors import NotFound
from drivetrain.core.records import (
    Alert,
    Alias,
    BehaviourReport,
    Decision,
    Discovery,
    Evaluation,
    FairnessReport,
    ModelVersion,
    MonitorReport,
    Record,
    RobustnessReport,
    Run,
    Step,
)
from drivetrain.web import lineage
from drivetrain.web.answering import answer
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.pages.bias import report_of
from drivetrain.web.pages.models import card as card_page
from drivetrain.web.pages.models import version_of
from drivetrain.web.picture import take
from drivetrain.web.tables import all_tables, open_reasons, table
from drivetrain.web.tracing import traced

router = APIRouter(prefix="/api/v1", tags=["records"])

Limit = Annotated[int, Query(ge=1, le=5000, description="At most so many, newest first.")]


@router.get("/tables")
def tables(desk: DeskOf) -> Response:
    """The newest version of every table."""
    return answer([open_reasons(desk, one.newest) for one in all_tables(desk)])


@router.get("/tables/{name:path}")
def table_versions(desk: DeskOf, name: str) -> Response:
    """Every version of a table, newest first, with the reasons of what it set aside."""
    return answer([open_reasons(desk, one) for one in table(desk, name).versions])


@router.get("/models")
def models(desk: DeskOf) -> Response:
    """Every model with its aliases and version numbers."""
    catalog = desk.store.catalog
    return answer(
        [
            {
                "name": name,
                "aliases": {one.alias: one.version for one in catalog.find(Alias, name)},
                "versions": sorted(one.version for one in catalog.find(ModelVersion, name)),
            }
            for name in desk.models
        ]
    )


@router.get("/models/{name}/versions")
def versions(desk: DeskOf, name: str) -> Response:
    """Every version of a model, newest first."""
    return answer(desk.store.catalog.find(ModelVersion, name))


@router.get("/models/{name}/versions/{number}")
def version(desk: DeskOf, name: str, number: int) -> Response:
    """One version with its gates."""
    return answer(version_of(desk, name, number))


@router.get("/models/{name}/versions/{number}/evaluation")
def evaluation(desk: DeskOf, name: str, number: int) -> Response:
    """The evaluation of a version: metrics with intervals, baselines, slices, calibration."""
    return _found(Evaluation, desk, version_of(desk, name, number), f"version {number} of {name} was not evaluated")


@router.get("/models/{name}/versions/{number}/fairness")
def fairness(desk: DeskOf, name: str, number: int) -> Response:
    """How a version's answers fall out for protected groups: rates with intervals, and how far groups lie apart."""
    return _found(
        FairnessReport, desk, version_of(desk, name, number), f"fairness of version {number} of {name} was not measured"
    )


@router.get("/models/{name}/versions/{number}/slices")
def slices(desk: DeskOf, name: str, number: int) -> Response:
    """Groups that nobody named in which a version is worse than it says, and how they were searched for."""
    return _found(
        Discovery, desk, version_of(desk, name, number), f"version {number} of {name} was not searched for slices"
    )


@router.get("/models/{name}/versions/{number}/behaviours")
def behaviours(desk: DeskOf, name: str, number: int) -> Response:
    """What a version was declared to do, and whether it does."""
    return _found(
        BehaviourReport, desk, version_of(desk, name, number), f"no behaviour of version {number} of {name} was tried"
    )


@router.get("/models/{name}/versions/{number}/robustness")
def robustness(desk: DeskOf, name: str, number: int) -> Response:
    """How much a version's figure falls when its inputs are worse than they were."""
    return _found(
        RobustnessReport,
        desk,
        version_of(desk, name, number),
        f"robustness of version {number} of {name} was not tried",
    )


def _found(kind: type[Record], desk: Desk, version: ModelVersion, lacking: str) -> Response:
    """What is known of a version's run, of one kind."""
    found = desk.store.catalog.get(kind, version.run_id)
    if found is None:
        raise NotFound(lacking)
    return answer(found)


@router.get("/models/{name}/versions/{number}/card")
def card(desk: DeskOf, name: str, number: int) -> Response:
    """The model card as HTML."""
    return card_page(desk, name, number)


@router.get("/models/{name}/versions/{number}/lineage")
def version_lineage(desk: DeskOf, name: str, number: int) -> Response:
    """What a version was made from."""
    return answer(lineage.upward(desk.store.catalog, version_of(desk, name, number).ref))


@router.get("/models/{name}/diff")
def diff(desk: DeskOf, name: str, a: int, b: int) -> Response:
    """Two versions compared: data, features, code, metrics on the same rows, and whom they answer otherwise."""
    version_of(desk, name, a), version_of(desk, name, b)
    return answer(desk.diff(a, b, name))


@router.get("/models/{name}/bias")
def bias(desk: DeskOf, name: str, report: str | None = None) -> Response:
    """What the training set says of protected groups: the newest report, or the one of that id."""
    return answer(report_of(desk, name, report))


@router.get("/runs")
def runs(desk: DeskOf, model: str | None = None, limit: Limit = 100) -> Response:
    """Training runs, newest first."""
    return answer(desk.store.catalog.find(Run, model, limit=limit))


@router.get("/runs/{run_id}")
def run(desk: DeskOf, run_id: str) -> Response:
    """One training run."""
    found = desk.store.catalog.get(Run, run_id)
    if found is None:
        raise NotFound(f"no run is called {run_id!r}")
    return answer(found)


@router.get("/endpoints/{name}/reports")
def reports(desk: DeskOf, name: str, limit: Limit = 100) -> Response:
    """What the monitor saw, newest window first."""
    take(desk, name)
    return answer(desk.store.catalog.find(MonitorReport, name, limit=limit))


@router.get("/alerts")
def alerts(desk: DeskOf, endpoint: str | None = None, state: str | None = None, limit: Limit = 100) -> Response:
    """Alerts, newest first."""
    found = desk.store.catalog.find(Alert, endpoint)
    return answer([one for one in found if state in {None, one.state}][:limit])


@router.get("/decisions")
def decisions(desk: DeskOf, about: str | None = None, limit: Limit = 200) -> Response:
    """The timeline, newest first."""
    return answer(desk.store.catalog.find(Decision, about, limit=limit))


@router.get("/steps")
def steps(desk: DeskOf, name: str | None = None, limit: Limit = 100) -> Response:
    """Steps that ran, newest first."""
    return answer(desk.store.catalog.find(Step, name, limit=limit))


@router.get("/predictions/{prediction_id:path}")
def prediction(desk: DeskOf, prediction_id: str) -> Response:
    """One prediction with what it rests on and what came true."""
    return answer(traced(desk, prediction_id))
