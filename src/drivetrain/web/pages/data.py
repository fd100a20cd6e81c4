"""``/data``: what came in, what each table holds, and how that has moved."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.web import profiles, quarantine
from drivetrain.web.asking import DeskOf, FormOf
from drivetrain.web.definitions import columns_words
from drivetrain.web.rendering import page
from drivetrain.web.security import same_origin
from drivetrain.web.tables import all_tables, table
from drivetrain.web.watches import watches_of

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
def one_table(request: Request, desk: DeskOf, name: str, version: str = "", against: str = "") -> HTMLResponse:
    """One table: its columns, what moved since another version, its batches."""
    found = table(desk, name)
    source = desk.sources.get(name)
    history = desk.history(name)
    choice = profiles.choose(desk, history, version, against)
    figures = desk.data(name, version=choice.version, against=choice.against) if choice.profiled else None
    passing = profiles.passing(source, figures)
    return page(
        request,
        "table.html",
        table=found,
        source=source,
        history=history,
        choice=choice,
        figures=figures,
        columns=profiles.seen(figures, history, columns_words(source)),
        moved=profiles.most_moved(figures.moved, passing) if figures else [],
        passing=passing,
        beyond=profiles.beyond,
        reasons=quarantine.reasons(desk, name),
        watches=watches_of(desk, name),
    )


@router.post("/profiles/{name:path}", dependencies=[Depends(same_origin)])
def make_profile(desk: DeskOf, form: FormOf, name: str) -> Response:
    """Reads a version's rows for its figures, and shows them."""
    history = desk.history(name)
    choice = profiles.choose(desk, history, form.get("version", ""), profiles.NOTHING)
    desk.data(name, version=choice.version)
    return RedirectResponse(f"/data/{name}?version={choice.version}", 303)
