"""A closer look at a window: what assessing it leaves out, because it needs tables, models or declarations."""

from __future__ import annotations

import polars as pl

from drivetrain.core.records import Evaluation, ModelVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.experimenting import with_experiments
from drivetrain.loop.grouping import Window, with_groups
from drivetrain.loop.reasons import with_attribution
from drivetrain.loop.worth import with_worth
from drivetrain.monitor.labels import join_labels
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Assessment


def look_closer(
    project: Definitions,
    monitor: Monitor,
    assessment: Assessment,
    version: ModelVersion,
    logged: tuple[pl.DataFrame, pl.DataFrame],
) -> Assessment:
    """An assessment with what else the monitor asks for.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        assessment: The window so far.
        version: Who answered.
        logged: Predictions and feedback, at least those of the window.
    """
    report = assessment.report
    if not report.predictions:
        return assessment
    predictions, feedback = logged
    at = pl.col("at").cast(pl.Int64)
    every = join_labels(predictions.filter(at >= report.since, at < report.until), feedback, endpoint=report.endpoint)
    rows = every.filter(pl.col("role") == "champion", pl.col("version") == report.version)
    window = Window(version, rows, project.store.catalog.get(Evaluation, version.run_id), every)
    for closer in (with_groups, with_worth, with_attribution, with_experiments):
        assessment = closer(project, monitor, assessment, window)
    return assessment
