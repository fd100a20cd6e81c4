"""``/data``: what came in, what each table holds, and what was set aside and why."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.data.veil import veil_of
from drivetrain.web import quarantine
from drivetrain.web.asking import DeskOf
from drivetrain.web.definitions import columns_words
from drivetrain.web.rendering import page
from drivetrain.web.tables import all_tables, table

router = APIRouter(include_in_schema=False)


@router.get("/data")
def tables(request: Request, desk: DeskOf) -> HTMLResponse:
    """Every table."""
    found = all_tables(desk)
    return page(
        request,
        "data.html",
        tables=found,
        waiting=[name for name in desk.sources if name not in {one.name for one in found}],
    )


@router.get("/data/{name:path}")
def one_table(request: Request, desk: DeskOf, name: str) -> HTMLResponse:
    """One table: its versions, columns and reasons of quarantine."""
    source = desk.sources.get(name)
    return page(
        request,
        "table.html",
        table=table(desk, name),
        source=source,
        contract=columns_words(source),
        reasons=quarantine.reasons(desk, name),
    )


@router.get("/quarantine/{name:path}")
def set_aside(request: Request, desk: DeskOf, name: str, page_number: int = 1) -> HTMLResponse:
    """The rows that were set aside."""
    return page(
        request,
        "quarantine.html",
        name=name,
        leaf=quarantine.leaf(desk, name, page_number),
        reasons=quarantine.reasons(desk, name),
        partly=bool(veil_of(desk.sources[name]).withheld),
    )
