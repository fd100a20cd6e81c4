"""What happened upstream of a fall: open alerts of the tables that features come from, and what contracts refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import msgspec

from drivetrain.core.clock import DAY, Micros, iso
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import ColumnType, MonitorReport, TableVersion, Why
from drivetrain.evaluate.wording import percent
from drivetrain.loop.alerting.opened import cause_of
from drivetrain.loop.model import Model
from drivetrain.monitor.why.parts import OTHERS
from drivetrain.monitor.window import Assessment

BEFORE = 7 * DAY
"""How long before a window a version of a table may have been made to be told of."""

_FEATURES = 5
_VERSIONS = 200
_BREACH = 0.01
_FACTOR = 3.0


def with_upstream(catalog: Catalog, model: Model, assessment: Assessment) -> Assessment:
    """Adds to the reason of a fall what happened to the tables behind it.

    Args:
        catalog: Where versions of tables are recorded.
        model: Whose views read them.
        assessment: A window; one without a reason is given back as it is.
    """
    report = assessment.report
    if report.why is None:
        return assessment
    told = upstream_of(catalog, model, report.why, report)
    if not told:
        return assessment
    cause = msgspec.structs.replace(report.why, upstream=tuple(told))
    findings = tuple(
        msgspec.structs.replace(
            one,
            message=f"{one.message} Upstream: {told[0]}.",
            evidence={**one.evidence, "why": msgspec.to_builtins(cause)},
        )
        if "why" in one.evidence
        else one
        for one in assessment.findings
    )
    return Assessment(msgspec.structs.replace(report, why=cause), findings)


def upstream_of(catalog: Catalog, model: Model, why: Why, report: MonitorReport) -> list[str]:
    """Sentences, without their full stop, about the tables behind a fall: what is wrong with one comes first.

    Features are those whose shift brings the fall; where none does, those that drifted.
    """
    named = [one.feature for one in why.features if one.value > 0 and one.feature != OTHERS][:_FEATURES]
    named = named or [drift.feature for drift in report.drift if drift.drifted][:_FEATURES]
    wrong: list[str] = []
    plain: list[str] = []
    for table, features in _tables(model, named).items():
        versions = catalog.find(TableVersion, table, limit=_VERSIONS)[::-1]
        troubles = troubles_of(versions, report.since, report.until)
        words = f"{', '.join(features)} {'comes' if len(features) == 1 else 'come'} from table {table}"
        views = tuple(view.name for view in model.views if view.source.name == table)
        if opened := cause_of(catalog, table, report.since, report.until, views):
            wrong.append(f"{words}: {opened.rstrip('.')}")
        if troubles:
            wrong += [f"{words}: {trouble}" for trouble in troubles[:2]]
        elif not opened and (last := _in_force(versions, report.until)) is not None:
            plain.append(f"{words}, which stood at {last.key}, and whose contract refused no more than usual")
    return wrong + plain


def troubles_of(versions: Sequence[TableVersion], since: Micros, until: Micros) -> list[str]:
    """What is odd about the versions of a table that a window's answers rest on, gravest first.

    Told are versions with far more rows refused than those before, with other columns, and a table that stands still.

    Args:
        versions: Of one table, oldest first.
        since: Start of the window.
        until: Its end.
    """
    found: list[tuple[float, str]] = []
    for place, one in enumerate(versions):
        if not since - BEFORE <= one.moment <= until:
            continue
        usual = median([_refused(each) for each in versions[:place]] or [0.0])
        share = _refused(one)
        if share > max(_BREACH, _FACTOR * usual):
            reasons = one.refused_for
            reason = max(reasons, key=lambda each: reasons[each], default="")
            why = f", most for {reason}" if reason else ""
            found.append(
                (
                    share,
                    f"the contract refused {one.quarantined:,} of {one.delivered:,} rows that {one.key} brought "
                    f"({iso(one.at)}; {percent(share)}, {percent(usual)} is usual){why}",
                )
            )
        before = versions[place - 1].columns if place else one.columns
        if before and one.columns and before != one.columns:
            found.append((0.5, f"{one.key} ({iso(one.at)}) has other columns than before: {_changed(before, one)}"))
    late = _standing_still(versions, until)
    return [words for _, words in sorted(found, key=lambda pair: -pair[0])] + ([late] if late else [])


def _tables(model: Model, named: Sequence[str]) -> dict[str, list[str]]:
    """Table → those of the features that come from it."""
    found: dict[str, list[str]] = {}
    for name in named:
        for view in model.views:
            if name in view.feature_names:
                found.setdefault(view.source.name, []).append(name)
    return found


def _refused(version: TableVersion) -> float:
    return version.quarantined / version.delivered if version.delivered else 0.0


def _in_force(versions: Sequence[TableVersion], until: Micros) -> TableVersion | None:
    return next((one for one in reversed(versions) if one.moment <= until), None)


def _changed(before: Sequence[ColumnType], version: TableVersion) -> str:
    old = {one.name: one.dtype for one in before}
    new = {one.name: one.dtype for one in version.columns}
    told = [f"{name} is gone" for name in old if name not in new]
    told += [f"{name} is new" for name in new if name not in old]
    told += [f"{name} was {old[name]}, is {new[name]}" for name in new if name in old and old[name] != new[name]]
    return ", ".join(told) or "their order"


def _standing_still(versions: Sequence[TableVersion], until: Micros) -> str:
    """A table whose newest row is far older than it usually is between versions; nothing otherwise."""
    events = sorted({one.last_event for one in versions if one.last_event is not None and one.last_event <= until})
    if len(events) < 4:
        return ""
    usual = median([later - earlier for earlier, later in pairwise(events)])
    silent = until - events[-1]
    if silent <= max(_FACTOR * usual, DAY):
        return ""
    return f"its newest row is of {iso(events[-1])}, {silent / DAY:.1f} days before the window ended"
