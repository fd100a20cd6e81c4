"""``/models/{name}/bias``: what a model's training set says of protected groups."""

from __future__ import annotations

from itertools import groupby

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.core.errors import NotFound
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import BiasReport, ModelVersion
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.wording import counted_as, findings, labelled, points
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/models/{name}/bias")
def bias(request: Request, desk: DeskOf, name: str, report: str | None = None) -> HTMLResponse:
    """The newest report, or the one of that id."""
    found = report_of(desk, name, report)
    tables = [
        (attributes, list(groups))
        for attributes, groups in groupby(found.groups, key=lambda group: tuple(group.attributes))
    ]
    return page(
        request,
        "bias.html",
        report=found,
        tables=tables,
        findings=findings(found),
        counted=counted_as(found),
        lacking=[(group, one) for group in found.groups if len(group.attributes) == 1 for one in group.missing],
        differing=lambda groups: sum(sure(group.gap) for group in groups),
        sure=sure,
        points=points,
        labelled=labelled,
    )


def report_of(desk: Desk, name: str, report_id: str | None = None) -> BiasReport:
    """A report on a model's training set, the newest by default.

    Raises:
        NotFound: There is none.
    """
    known = desk.store.catalog.find(BiasReport, name)
    found = next((one for one in known if report_id in {None, one.report_id}), None)
    if found is None:
        raise NotFound(
            f"no report on bias in the data of {name!r}",
            do=f"Declare protected attributes, then run: drivetrain bias {name}",
        )
    return found


def report_behind(catalog: Catalog, version: ModelVersion) -> BiasReport | None:
    """What was known of a version's training set before it was trained."""
    known = catalog.find(BiasReport, version.model)
    return next((one for one in known if one.data == version.training_set), None)
