"""A version that errs more than it did: how its errors stand, and what is said of it."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import DAY
from drivetrain.core.records import Concept, ErrorStream, MonitorReport
from drivetrain.evaluate.wording import figures, span
from drivetrain.monitor.concept.detector import TITLES
from drivetrain.monitor.concept.stream import since_change
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.spec import Performance

CONCEPT = "concept"
"""The rule."""


def stands(stream: ErrorStream, loss: str) -> Concept:
    """How a version's errors stand, for its report."""
    return Concept(
        detector=stream.detector, loss=loss, labels=stream.seen, error=since_change(stream), rise=stream.rise
    )


def judge_concept(report: MonitorReport, asked: Performance) -> list[Finding]:
    """Says that a version errs more than it did, as long as it does.

    Nothing is said below ``min_labels`` labels.
    """
    told = report.concept
    if told is None or told.rise is None or told.labels < asked.min_labels:
        return []
    rise = told.rise
    began, found = (span(at // DAY * DAY, (at // DAY + 1) * DAY) for at in (rise.began, rise.found))
    message = (
        f"{report.endpoint}: v{report.version} errs more than it did: {told.loss} is {figures(rise.after)} on "
        f"{rise.after.count:,} labels of predictions since about {began}, {figures(rise.before)} on "
        f"{rise.before.count:,} before. {TITLES[told.detector]} found it with a prediction of {found}. Labels follow "
        "inputs otherwise than they did, or there are more inputs that it answers badly."
    )
    evidence: dict[str, object] = {
        "detector": told.detector,
        "loss": told.loss,
        "found": rise.found,
        "began": rise.began,
        "before": msgspec.to_builtins(rise.before),
        "after": msgspec.to_builtins(rise.after),
        "labels": told.labels,
        "labels_when_found": rise.labels,
    }
    return [Finding(CONCEPT, "warning", message, evidence)]
