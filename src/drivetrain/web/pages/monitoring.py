"""``/monitoring``: quality, drift and outcomes over the windows of an endpoint."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from drivetrain.core.errors import NotFound
from drivetrain.core.records import MonitorReport
from drivetrain.monitor.joint.judge import leading
from drivetrain.monitor.reporting.account import held_against
from drivetrain.web import charts, figures
from drivetrain.web.asking import DeskOf
from drivetrain.web.glossary import label
from drivetrain.web.health import standing
from drivetrain.web.picture import Picture, take
from drivetrain.web.rendering import page
from drivetrain.web.words import figure

router = APIRouter(include_in_schema=False)

_HEAT_WINDOWS = 30
_HEAT_ROWS = 12


@router.get("/monitoring")
def monitoring(request: Request, desk: DeskOf) -> Response:
    """The first endpoint's monitor, or the reason why there is none."""
    if not desk.endpoints:
        return page(request, "monitoring-none.html")
    return RedirectResponse(f"/monitoring/{next(iter(desk.endpoints))}", 307)


@router.get("/monitoring/{name}")
def endpoint(request: Request, desk: DeskOf, name: str, metric: str = "", window: str = "") -> HTMLResponse:
    """One endpoint's windows."""
    picture = take(desk, name)
    known = metrics(picture)
    if metric and metric not in known:
        raise NotFound(f"no window has a metric called {metric!r}", expected=" or ".join(known) or None)
    shown = metric or picture.metric
    report = chosen(picture, window)
    recent = picture.reports[-_HEAT_WINDOWS:]
    rows = figures.heat(recent)
    return page(
        request,
        "monitoring.html",
        picture=picture,
        metric=shown,
        headline=headline(picture, shown),
        metrics=known,
        quality=charts.quality(picture, shown),
        outcomes=charts.label_share(picture),
        recent=recent,
        heat=rows[:_HEAT_ROWS],
        calm=max(0, len(rows) - _HEAT_ROWS),
        report=report,
        leading=leading,
        drift=figures.worst_first(report.drift) if report else [],
        further=figures.worst_first(report.further) if report else [],
        held_against=held_against(report) if report else "",
    )


def headline(picture: Picture, metric: str) -> str:
    """How a metric stands in the newest window that can be judged."""
    judged = next((one for one in reversed(picture.reports) if metric in one.performance), None)
    if judged is None:
        guessed = next((one for one in reversed(picture.reports) if metric in one.estimated), None)
        if guessed is not None:
            return f"{label(metric)} is estimated at {figure(guessed.estimated[metric].value)}; no outcome is known yet"
        return "No outcome is known yet" if picture.reports else "No window has been looked at yet"
    compared = standing(judged.performance[metric], picture.reference(judged, metric), metric)
    ends = {
        "alike": "is where it was when tested",
        "better": "is better than when tested",
        "worse": "is worse than when tested",
        None: f"is {figure(judged.performance[metric].value)}",
    }
    return f"{label(metric)} {ends[compared]}"


def metrics(picture: Picture) -> list[str]:
    """Every metric a window holds, the project's own first."""
    found = dict.fromkeys(name for one in picture.reports for name in one.performance)
    if any(picture.metric in one.estimated for one in picture.reports):
        found[picture.metric] = None
    return sorted(found, key=lambda name: name != picture.metric)


def chosen(picture: Picture, window: str) -> MonitorReport | None:
    """The window asked for by its key, the newest where none is.

    Raises:
        NotFound: No window has that key.
    """
    if not window:
        return picture.latest
    report = next((one for one in picture.reports if one.key == window), None)
    if report is None:
        raise NotFound(f"no window is called {window!r}", do="Choose one from the list on the monitoring page")
    return report
