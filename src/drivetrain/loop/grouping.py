"""A window by protected groups and by segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.records import Evaluation, FairnessReport, ModelVersion, SegmentSeen
from drivetrain.evaluate.gate import FairnessGate
from drivetrain.loop.attributes import attributes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.threshold import threshold_of
from drivetrain.monitor.answered import answered
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.groups.judging import judge_groups, judge_segments
from drivetrain.monitor.groups.rates import Said, Told, measure_groups
from drivetrain.monitor.groups.segments import measure_segments
from drivetrain.monitor.labels import LABEL
from drivetrain.monitor.output import outputs_logged
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Assessment


class Window(NamedTuple):
    """Answers of one version in a window, with the labels that have come.

    Attributes:
        version: Who answered.
        rows: Of the prediction log, with labels joined.
        evaluation: The version's, if it has one.
        every: The same of everybody who answered in the window.
    """

    version: ModelVersion
    rows: pl.DataFrame
    evaluation: Evaluation | None
    every: pl.DataFrame


def with_groups(project: Definitions, monitor: Monitor, assessment: Assessment, window: Window) -> Assessment:
    """An assessment with what its groups and segments show, and what that breaks.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        assessment: The window so far.
        window: Its answers.
    """
    endpoint = project.find_endpoint(monitor.endpoint)
    model, report = endpoint.model, assessment.report
    names = [*(each.name for each in model.protected if monitor.fairness), *(model.slices if monitor.segments else ())]
    if not names or not window.rows.height:
        return assessment
    told = attributes_of(project, endpoint, window.version, window.rows, names)
    findings: list[Finding] = []
    then = project.store.catalog.get(FairnessReport, window.version.run_id)
    task = window.version.task
    if monitor.fairness is not None and model.protected and task.kind == "binary" and task.outputs == 1:
        said = Said(
            predictions=outputs_logged(window.rows, task),
            labels=window.rows[LABEL].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
            ats=window.rows["at"].cast(pl.Int64).to_numpy(),
            threshold=threshold_of(project, window.version),
        )
        seen = measure_groups(said, told, model.protected, monitor.fairness, then=then, gates=_gates(model))
        report = replace(report, groups=seen)
        findings += judge_groups(report, monitor.fairness)
    if monitor.segments is not None and model.slices:
        metric = monitor.segments.metric or (monitor.performance.metric if monitor.performance else model.metric)
        report = replace(report, segments=_segments(window, told, model.slices, metric))
        if monitor.segments.drop is not None:
            findings += judge_segments(report, monitor.segments.drop)
    return Assessment(report, (*assessment.findings, *findings))


def _segments(window: Window, told: Told, slices: Sequence[str], metric: str) -> tuple[SegmentSeen, ...]:
    there = [name for name in slices if name in told.columns.columns]
    judged = answered(window.rows, window.version.task)
    places = judged.places.astype(np.int64)
    known = np.logical_and.reduce([np.ones(len(places), np.bool_), *(told.known[name][places] for name in there)])
    return measure_segments(
        judged.answers.among(known),
        judged.ats[known],
        told.columns.select(there)[places].filter(pl.Series(known)),
        metric=metric,
        then=window.evaluation.slices if window.evaluation else (),
    )


def _gates(model: Model) -> Mapping[str, float]:
    """Measure, or measure and attributes → the limit of a gate on fairness."""
    found: dict[str, float] = {}
    for gate in model.gates:
        if isinstance(gate, FairnessGate):
            bound = gate.at_most if gate.at_most is not None else gate.at_least
            if bound is not None:
                found[f"{gate.metric} by {gate.column}" if gate.column else gate.metric] = bound
    return found
