"""What answers of a window were worth, beside what the same version's answers were worth on its evaluation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Measure, MonitorReport, Run, WorthSeen
from drivetrain.features.label import LABEL as TRUTH
from drivetrain.loop.attributes import attributes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.evaluated import evaluated_rows
from drivetrain.loop.grouping import Window
from drivetrain.loop.threshold import threshold_of
from drivetrain.monitor.labels import LABEL
from drivetrain.monitor.output import outputs_logged
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Assessment
from drivetrain.monitor.worth.measuring import judge_worth, mean_worth, unknown_worth, worth_of
from drivetrain.monitor.worth.spec import Business, of_costs

_RECENT = 60
"""Reports in which a figure of the evaluation is looked for before it is made again."""


def with_worth(project: Definitions, monitor: Monitor, assessment: Assessment, window: Window) -> Assessment:
    """An assessment with the business metric, and what that breaks.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        assessment: The window so far.
        window: Its answers.
    """
    asked = monitor.business
    if asked is None:
        return assessment
    try:
        seen = _seen(project, monitor, asked, window)
    except ProjectError as error:  # a project's own expression: it may fail on rows that nobody thought of
        failed = WorthSeen(name=asked.name, unit=asked.unit, per=asked.per, note=str(error))
        report = replace(assessment.report, worth=failed)
        return Assessment(report, (*assessment.findings, unknown_worth(report, asked, str(error))))
    report = replace(assessment.report, worth=seen)
    return Assessment(report, (*assessment.findings, *judge_worth(report, asked)))


def _seen(project: Definitions, monitor: Monitor, asked: Business, window: Window) -> WorthSeen:
    costs = _costs(project, window)
    digest = asked.digest(costs)
    seen = WorthSeen(name=asked.name, unit=asked.unit, per=asked.per, digest=digest)
    value = of_costs(costs) if asked.value is None else asked.value
    task = window.version.task
    if task.outputs > 1 or (asked.value is None and not costs):
        why = (
            "an answer is several numbers"
            if task.outputs > 1
            else "neither the monitor nor the model says what a row is worth"
        )
        return replace(seen, note=why)
    acts_from = threshold_of(project, window.version)
    told = attributes_of(project, project.find_endpoint(monitor.endpoint), window.version, window.rows, asked.beside)
    if told.unknown:
        return replace(seen, note="; ".join(f"{name}: {why}" for name, why in told.unknown.items()))
    known = np.logical_and.reduce([np.ones(window.rows.height, np.bool_), *told.known.values()])
    said = outputs_logged(window.rows, task)
    given = pl.DataFrame({"prediction": said, "label": window.rows[LABEL].cast(pl.Float64), "acted": said >= acts_from})
    worth = worth_of(given.hstack(told.columns.get_columns()), value, asked.name)
    ats = window.rows["at"].cast(pl.Int64).to_numpy()
    now = mean_worth(np.where(known, worth, np.nan), ats, asked.per)
    then, note = _then(project, monitor, asked, window, (value, acts_from, digest))
    return replace(seen, now=now, then=then, note=note)


def _then(
    project: Definitions, monitor: Monitor, asked: Business, window: Window, how: tuple[pl.Expr, float, str]
) -> tuple[Measure | None, str]:
    """The worth on the version's evaluation, taken from an earlier window of the same version where there is one."""
    value, acts_from, digest = how
    for report in project.store.catalog.find(MonitorReport, monitor.endpoint, limit=_RECENT):
        held = report.worth
        if held is not None and held.digest == digest and report.version == window.version.version and held.then:
            return held.then, held.note
    if window.evaluation is None:
        return None, "the version has no evaluation"
    found = evaluated_rows(project, window.version, window.evaluation)
    if isinstance(found, str):
        return None, found
    if lacking := [name for name in asked.beside if name not in found.rows.columns]:
        return None, f"its evaluation did not have {', '.join(lacking)}"
    given = pl.DataFrame(
        {
            "prediction": found.predictions,
            "label": found.rows[TRUTH].cast(pl.Float64),
            "acted": found.predictions >= acts_from,
        }
    ).hstack(found.rows.select(asked.beside).get_columns())
    return mean_worth(worth_of(given, value, asked.name), found.ats, asked.per), ""


def _costs(project: Definitions, window: Window) -> Mapping[str, float]:
    """What a row costs by what becomes of it, as the threshold of the version was chosen by."""
    run = project.store.catalog.get(Run, window.version.run_id)
    decided = None if run is None else run.decided
    return {} if decided is None or decided.threshold is None else decided.threshold.costs
