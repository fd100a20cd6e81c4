"""Inputs that are broken, not merely new: no values, one value, infinite ones, another unit, unknown categories."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from drivetrain.core.records import MonitorReport
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.wording import percent, span
from drivetrain.monitor.column import Column
from drivetrain.monitor.drift import whole_days
from drivetrain.monitor.finding import Finding, Severity
from drivetrain.monitor.reference import Reference

INPUTS = "inputs"
GONE = 0.99
"""Share of nulls from which on a feature has vanished."""
UNSEEN = 0.01
"""Share of categories that training never saw from which on somebody is told."""
OUTSIDE = 0.5
"""Share of values beyond all that training had from which on their unit may have changed."""
STUCK = 0.9
"""Share of one value that no stretch of training may have had: fine weather is one value for a week, too."""
_CHANCE = 1e-6
"""How unlikely it must be that independent rows all have the value that training had most."""
_TOLD = 5


def judge_inputs(
    report: MonitorReport,
    reference: Reference,
    values: Floats,
    *,
    unseen: Mapping[str, float],
    withheld: frozenset[str] = frozenset(),
    weight: float = 0.05,
) -> list[Finding]:
    """Names the features of a window that are broken; what the training rows did for as long a time is not.

    Args:
        report: The window.
        reference: What the version was trained on.
        values: The window's encoded rows, shape (n, fields) in the reference's order; n > 0.
        unseen: Feature → share of its values that training never saw.
        withheld: Features whose values the log does not keep.
        weight: Share of the model's importance from which on broken features are critical.
    """
    days = whole_days(report.since, report.until)
    broken: dict[str, str] = {}
    for at, column in enumerate(reference.columns):
        if column.name in withheld:
            continue
        stretches = _stretches(column, reference, days)
        said = _broken(column, np.ascontiguousarray(values[:, at]), stretches, unseen.get(column.name, 0.0))
        if said:
            broken[column.name] = said
    if not broken:
        return []
    known = reference.importance
    ranked = sorted(broken, key=lambda name: -known.get(name, 0.0))
    heavy = sum(known.get(name, 0.0) for name in ranked)
    severity: Severity = "critical" if known and heavy >= weight else "warning"
    rest = f"; and {len(ranked) - _TOLD} more" if len(ranked) > _TOLD else ""
    share = f", with {percent(heavy)} of the model's importance" if known else ""
    count = f"{len(ranked)} of {len(reference.columns)} inputs {'is' if len(ranked) == 1 else 'are'} broken{share}"
    message = (
        f"{report.endpoint}: on {span(report.since, report.until)}, {count}: "
        f"{'; '.join(f'{name}: {broken[name]}' for name in ranked[:_TOLD])}{rest}. "
        "Mend what delivers them: a version trained on such rows would learn that they are so."
    )
    return [Finding(INPUTS, severity, message, {"features": broken})]


def _stretches(column: Column, reference: Reference, days: int) -> Floats:
    """The training rows by stretches as long as the window, and by bin; all of them where there is no such stretch."""
    by_day = np.asarray(column.counts, np.float64)
    segments = reference.segments(days)
    found = np.zeros((int(segments.max()) + 1, column.width))
    np.add.at(found, segments[segments >= 0], by_day[segments >= 0])
    return found if len(found) else by_day.sum(axis=0, keepdims=True)


def _broken(column: Column, values: Floats, stretches: Floats, unseen: float) -> str:
    """What is broken about a column; empty where nothing is."""
    endless = int(np.isinf(values).sum())
    if endless:
        return f"{endless:,} of {len(values):,} values {'is' if endless == 1 else 'are'} infinite"
    if unseen >= UNSEEN:
        return f"{percent(unseen)} of its values are categories that no training row had"
    missing = np.isnan(values)
    rows = np.maximum(stretches.sum(axis=1), 1.0)
    lacked = stretches[:, -1] / rows
    if missing.mean() >= GONE:
        usual = percent(float(np.average(lacked, weights=rows)))
        gone = f"no value in {percent(float(missing.mean()))} of rows, where training lacked {usual}"
        return gone if lacked.max() < GONE else ""
    return _odd(column, values[~missing], stretches)


def _odd(column: Column, there: Floats, stretches: Floats) -> str:
    """What is broken about the values that are there."""
    beyond = _beyond(column, there)
    if beyond >= OUTSIDE and not _wanders(stretches):
        return f"{percent(beyond)} of its values lie beyond all that training had: has its unit changed?"
    if (there == there[0]).all() and _varied(stretches, len(there)):
        return f"every value is the same, where no value made up {percent(STUCK)} of training for so long"
    return ""


def _beyond(column: Column, values: Floats) -> float:
    """Share of numbers below the least or above the greatest of training."""
    if column.type != "number" or not column.edges:
        return 0.0
    return float(((values < column.edges[0]) | (values >= column.edges[-1])).mean())


def _wanders(stretches: Floats) -> bool:
    """Whether training itself went where it had not been before, as what counts the days does."""
    if len(stretches) < 2:
        return True
    last, before = stretches[-1, :-1], stretches[:-1, :-1].sum(axis=0)
    return float(last[before == 0].sum()) >= 0.1 * max(float(last.sum()), 1.0)


def _varied(stretches: Floats, rows: int) -> bool:
    """Whether training never came near one value alone for so long, and so many rows of one are no chance either."""
    known = stretches[:, :-1]
    total = known.sum(axis=0)
    most = float(total.max() / max(total.sum(), 1.0))
    return float((known.max(axis=1) / np.maximum(known.sum(axis=1), 1.0)).max()) < STUCK and most**rows < _CHANCE
