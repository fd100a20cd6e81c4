"""Pages from templates; every value is escaped unless a filter of ours made it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from drivetrain.core.hashing import digest_bytes
from drivetrain.monitor.worth.measuring import amount
from drivetrain.web import charts, figures, glossary, words
from drivetrain.web.glossary import TERMS
from drivetrain.web.health import LEVELS, standing

STATIC = Path(__file__).parent / "static"

_NAVIGATION = (
    ("/", "Overview"),
    ("/monitoring", "Monitoring"),
    ("/endpoints", "Endpoints"),
    ("/models", "Models"),
    ("/experiments", "Experiments"),
    ("/features", "Features"),
    ("/data", "Data"),
    ("/privacy", "Privacy"),
    ("/alerts", "Alerts"),
    ("/timeline", "Timeline"),
    ("/predictions", "Predictions"),
    ("/steps", "Steps"),
    ("/audit", "Audit"),
)


@cache
def environment() -> jinja2.Environment:
    """The templates with their filters; undefined names are errors."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("drivetrain.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: tuple[Callable[..., object], ...] = (
        words.count,
        words.figure,
        words.signed,
        words.share,
        words.interval,
        words.span,
        words.latency,
    )
    filters += (
        words.size,
        words.day,
        words.when,
        words.listed,
        words.plural,
        words.breakable,
        words.number,
        words.moment,
        words.span_of,
        glossary.label,
        glossary.spoken,
    )
    made.filters.update({one.__name__: one for one in filters})
    made.globals.update(
        terms=TERMS,
        levels=LEVELS,
        navigation=_NAVIGATION,
        days=words.days,
        standing=standing,
        scale_of=figures.scale_of,
        spark=figures.spark,
        bars=figures.bars,
        steps=figures.steps,
        ratio=figures.ratio,
        higher=glossary.better_higher,
        better=glossary.better_is,
        asset=asset,
        trend=charts.trend,
        amount=amount,
    )
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file, with its digest so that a browser may keep it."""
    return f"/static/{name}?{digest_bytes((STATIC / name).read_bytes())[:8]}"


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401 - templates take anything
    """A template as a response; ``project`` and ``here`` (the path) are known to every one."""
    desk = request.app.state.desk
    text = (
        environment()
        .get_template(template)
        .render(project=desk, here=request.url.path, revision=desk.store.catalog.revision(), **context)
    )
    return HTMLResponse(text, status_code=status)
