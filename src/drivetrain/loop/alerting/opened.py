"""An open alert of a table, or of a feature view, as the cause of what goes wrong behind it."""

from __future__ import annotations

from drivetrain.core.clock import Micros
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import SEVERITIES, Alert, DataReport
from drivetrain.monitor.tables.spec import FAMILIES, FEATURES, TABLE


def cause_of(catalog: Catalog, table: str, since: Micros, until: Micros, views: tuple[str, ...] = ()) -> str:
    """A sentence that names an open alert of a table, or else of views of it, where one was broken in time.

    Args:
        catalog: Where alerts are kept.
        table: The table.
        since: Start of the window that something went wrong in: alerts whose newest window ended before it are of
            another time.
        until: Its end: alerts whose first window begins after it can't have brought that about.
        views: Feature views whose own alerts count, too.
    """
    for watched in (f"{TABLE}{table}", *(f"{FEATURES}{view}" for view in views)):
        found = [one for one in catalog.find(Alert, watched) if one.state == "open" and one.since < until]
        ended = {one.id: _ended(catalog, one) for one in found}
        lately = [one for one in found if ended[one.id] > since]
        if lately:
            first = min(lately, key=_gravity)
            more = f" ({len(lately) - 1} more alerts of it are open)" if len(lately) > 1 else ""
            return f"{first.message.rstrip('.')}{more}."
    return ""


def _gravity(alert: Alert) -> tuple[int, int, str]:
    family = alert.rule.partition(".")[0]
    place = FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)
    return (-SEVERITIES.index(alert.severity), place, alert.rule)


def _ended(catalog: Catalog, alert: Alert) -> Micros:
    report = catalog.get(DataReport, alert.report.partition(":")[2])
    return report.until if report is not None else alert.at
