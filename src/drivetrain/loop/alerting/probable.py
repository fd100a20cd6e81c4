"""What probably brought an alert about, from what is on record: tables that stand still, rows set aside, drift."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core.clock import Micros
from drivetrain.core.records import FeatureDrift, MonitorReport, TableVersion
from drivetrain.data.judge import stale
from drivetrain.evaluate.wording import percent
from drivetrain.loop.alerting.opened import cause_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint

_SET_ASIDE = 0.02
"""Share of a window's delivered rows that a contract set aside, from which on it is worth a word."""


def probable_cause(project: Definitions, endpoint: Endpoint, rule: str, report: MonitorReport) -> str:
    """A sentence on what probably caused a broken rule; empty where nothing on record suggests anything.

    What comes from a table is the same sentence for every endpoint that reads it, so that alerts with one cause are
    told together.
    """
    family = rule.partition(".")[0]
    if family in {"latency", "rules"}:
        return ""
    for table in _tables(endpoint):
        views = tuple(view.name for view in endpoint.model.views if view.source.name == table)
        said = cause_of(project.store.catalog, table, report.since, report.until, views) or _table(
            project, table, report.since, report.until
        )
        if said:
            return said
    emptied = _emptied(report.drift)
    if emptied:
        return emptied
    drifted = [one for one in report.drift if one.drifted]
    if family in {"performance", "calibration", "concept"} and drifted:
        worst = max(drifted, key=lambda one: one.value / one.threshold if one.threshold else 0.0)
        more = f" and {len(drifted) - 1} more features" if len(drifted) > 1 else ""
        return f"{worst.feature}{more} drifted in the same window: {worst.statistic} {worst.value:.3g}."
    return ""


def _tables(endpoint: Endpoint) -> list[str]:
    views = [view.source.name for view in endpoint.model.views]
    return list(dict.fromkeys([*views, endpoint.model.label.source.name]))


def _table(project: Definitions, table: str, since: Micros, until: Micros) -> str:
    found = [one for one in project.store.catalog.find(TableVersion, table) if one.at <= until]
    source = project.sources.get(table)
    if found and source is not None:
        old = stale(source.contract, found[0], until)
        if old:
            return f"table {table} stood still: {str(old).rstrip('.')}."
    lately = [one for one in found if one.at >= since]
    aside = sum(one.quarantined for one in lately)
    rows = aside + sum(one.added for one in lately)
    if rows and aside / rows > _SET_ASIDE:
        return f"the contract of {table} set aside {percent(aside / rows)} of the rows that came in the same time."
    return ""


def _emptied(drift: Sequence[FeatureDrift]) -> str:
    gone = [one for one in drift if one.null_share > 0.5 and one.reference_null_share < 0.1]
    if not gone:
        return ""
    more = f" and {len(gone) - 1} more features" if len(gone) > 1 else ""
    return f"{gone[0].feature}{more} came empty: {percent(gone[0].null_share)} without a value."
