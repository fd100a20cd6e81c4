"""``/``: is it healthy, what happened, what was decided and why."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.web import charts, words
from drivetrain.web.asking import DeskOf
from drivetrain.web.desk import Desk
from drivetrain.web.health import assess
from drivetrain.web.picture import Picture, pictures
from drivetrain.web.rendering import page
from drivetrain.web.story import decided, tell
from drivetrain.web.tables import Table, all_tables

router = APIRouter(include_in_schema=False)


class Stage(msgspec.Struct, frozen=True):
    """One stretch of the road from raw rows to a watched endpoint."""

    name: str
    href: str
    value: str
    note: str
    tone: str = "plain"


@router.get("/")
def overview(request: Request, desk: DeskOf) -> HTMLResponse:
    """The overview."""
    seen = pictures(desk)
    tables = all_tables(desk)
    decisions = {one.id: one for picture in seen for one in picture.decisions}
    newest = sorted(decisions.values(), key=lambda one: (one.at, one.id), reverse=True)
    chapters = decided(tell(newest))
    return page(
        request,
        "overview.html",
        endpoints=[(picture, assess(picture), charts.quality(picture, picture.metric)) for picture in seen],
        road=road(desk, seen, tables),
        chapters=chapters[:9],
        more=max(0, len(chapters) - 9),
    )


def road(desk: Desk, seen: list[Picture], tables: list[Table]) -> list[Stage]:
    """The stages with one figure each."""
    sources = [one for one in tables if one.declared]
    aside = sum(one.quarantined for one in sources)
    rows = sum(one.newest.rows for one in sources)
    features = sum(len(one.feature_names) for one in desk.views.values())
    features += sum(len(one.feature_names) for one in desk.requests.values())
    features += sum(len(one.feature_names) for one in desk.derived.values())
    views = len(desk.views) + len(desk.derived)
    champions = [picture for picture in seen if picture.champion]
    latest = [picture.latest for picture in seen if picture.latest]
    alerts = sum(len(picture.open_alerts) for picture in seen)
    windows = sum(len(picture.reports) for picture in seen)
    versions = sum(len(picture.versions) for picture in seen)
    answered = sum(one.predictions for one in latest)
    return [
        Stage(
            "Data",
            "/data",
            words.plural(rows, "row"),
            f"{words.plural(len(sources), 'source')}, {words.count(aside)} set aside"
            if sources
            else "Nothing came in yet",
            "watch" if rows and aside / rows > 0.01 else "plain",
        ),
        Stage(
            "Features",
            "/features",
            words.plural(features, "feature"),
            f"{words.plural(views, 'view')}, {words.plural(len(desk.requests), 'request function')}",
        ),
        Stage(
            "Model",
            "/models",
            words.listed(f"version {picture.champion}" for picture in champions).capitalize() or "No champion",
            f"{words.plural(versions, 'version')} trained so far",
        ),
        Stage(
            "Endpoint",
            "/endpoints",
            words.plural(answered, "answer"),
            f"in the last window, half within {words.latency(latest[0].latency_p50_us)}"
            if latest
            else "No traffic yet",
        ),
        Stage(
            "Monitor",
            "/monitoring",
            words.plural(alerts, "open alert") if alerts else "No open alert",
            f"{words.plural(windows, 'window')} looked at",
            "watch" if alerts else "plain",
        ),
    ]
