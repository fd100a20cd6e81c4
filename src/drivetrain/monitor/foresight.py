"""What a window says beyond the labels that have come: estimates, how mature its labels are, and why it is worse."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.records import Estimation, Measure, MonitorReport, Task
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.answered import answered
from drivetrain.monitor.estimate.domain import Ratio
from drivetrain.monitor.estimate.judge import GAP, LEVEL, gaps, judge_estimates, missed
from drivetrain.monitor.estimate.keeping import ESTIMATED, Kept
from drivetrain.monitor.estimate.window import Estimated, estimate_window, weigh
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.maturity.window import maturity_of
from drivetrain.monitor.output import outputs_logged
from drivetrain.monitor.spec import Performance
from drivetrain.monitor.why.window import why

_MOST = 0.9
"""Share of labels from which on it does not matter that some kinds came sooner."""
_ALIKE = 0.95


class Seen(msgspec.Struct, frozen=True):
    """A window's rows as numbers.

    Attributes:
        values: What the version read, shape (n, fields), or (n, 0) where the log holds rows of several widths.
        outputs: What it said, shape (n,), or (n, outputs).
        labels: What came, classes by their position; NaN where nothing has that can be judged.
        ats: Moment of each, microseconds UTC.
    """

    values: Floats
    outputs: Floats
    labels: Floats
    ats: npt.NDArray[np.int64]

    def among(self, mask: npt.NDArray[np.bool_]) -> Seen:
        """Some of the rows."""
        return Seen(self.values[mask], np.ascontiguousarray(self.outputs[mask]), self.labels[mask], self.ats[mask])


class Ahead(msgspec.Struct, frozen=True):
    """A report with its estimates and the maturity of its labels.

    Attributes:
        report: The report.
        seen: The window's rows.
        ratio: The evaluation's rows weighed like them, or none.
    """

    report: MonitorReport
    seen: Seen
    ratio: Ratio | None


def seen_of(rows: pl.DataFrame, task: Task) -> Seen:
    """A version's rows of the prediction log, labels joined, as numbers."""
    widths = rows["values"].list.len().unique().to_list()
    values: Floats = np.empty((rows.height, 0))
    labels: Floats = np.full(rows.height, np.nan)
    if task.kind in ESTIMATED:
        judged = answered(rows, task)
        labels[judged.places] = judged.answers.labels
    if len(widths) == 1 and widths[0]:
        flat = rows["values"].explode().cast(pl.Float64).fill_null(float("nan")).to_numpy()
        values = flat.reshape(rows.height, widths[0])
    return Seen(
        values,
        outputs_logged(rows, task),
        labels,
        rows["at"].cast(pl.Int64).to_numpy(),
    )


def look_ahead(
    report: MonitorReport,
    rows: pl.DataFrame,
    feedback: pl.DataFrame,
    *,
    kept: Kept | None,
    asked: Performance | None,
    task: Task,
    least: int,
    due: Micros | None = None,
) -> Ahead:
    """Adds to a report what its labels do not tell yet.

    Args:
        report: With its performance measured.
        rows: The version's rows of the prediction log, labels joined.
        feedback: Rows of the feedback log.
        kept: What was kept of the version's evaluation.
        asked: The monitor's rules on performance, if it has any.
        task: What answers tell.
        least: Predictions below which nothing is estimated.
        due: Age by which labels of older windows had come.
    """
    seen = seen_of(rows, task)
    if asked is None or not rows.height:
        return Ahead(report, seen, None)
    metrics = list(asked.drops)
    maturity = maturity_of(
        rows,
        feedback,
        seen.labels,
        seen.outputs,
        endpoint=report.endpoint,
        task=task,
        now=report.at,
        metrics=metrics,
        due=due,
    )
    report = msgspec.structs.replace(report, maturity=maturity)
    if not asked.estimated:
        return Ahead(report, seen, None)
    if rows.height < least:
        words = f"not estimated: {rows.height:,} predictions, at least {least:,} are needed"
        return Ahead(msgspec.structs.replace(report, estimation=Estimation(refused=words)), seen, None)
    found = estimate_window(kept, seen.values, seen.outputs, seen.ats, version=report.version)
    told = msgspec.structs.replace(found.estimation, gaps=_gaps(report, asked, kept, seen))
    return Ahead(msgspec.structs.replace(report, estimated=found.metrics, estimation=told), seen, found.ratio)


def explain(
    ahead: Ahead, findings: Sequence[Finding], kept: Kept | None, asked: Performance | None
) -> tuple[MonitorReport, list[Finding]]:
    """Judges estimates, and says why where performance fell, really or by the estimate.

    Args:
        ahead: The report.
        findings: What its labels were found to show.
        kept: What was kept of the version's evaluation.
        asked: The monitor's rules on performance.
    """
    report, every = ahead.report, list(findings)
    if asked is None:
        return report, every
    known_fall = any(one.rule == f"performance.{asked.metric}" and one.severity != "info" for one in every)
    # Where labels tell of the fall already, that the estimate missed it is no alert of its own.
    every += [one for one in judge_estimates(report, asked) if not (known_fall and one.rule == GAP)]
    fallen = [one for one in every if one.family in {"performance", "estimated"} and one.severity != "info"]
    if not fallen or kept is None or ahead.ratio is None:
        return report, every
    named = [one.rule.partition(".")[2] for one in fallen if one.rule != GAP]
    metric = asked.metric if asked.metric in named or not named else named[0]
    if metric not in report.reference:
        return report, every
    seen, ratio = ahead.seen, ahead.ratio
    known = np.isfinite(seen.labels) & np.isfinite(seen.outputs.reshape(len(seen.labels), -1)).all(axis=1)
    enough = int(known.sum()) >= asked.min_labels
    if enough:
        seen = seen.among(known)
        if known.mean() < _ALIKE:
            ratio = weigh(kept, seen.values, seen.ats // DAY)
    cause = why(
        kept,
        metric,
        ratio,
        values=seen.values,
        outputs=seen.outputs,
        labels=seen.labels if enough else None,
        ats=seen.ats,
    )
    if cause is None:
        return report, every
    words = f"{missed(report, metric)} {cause.words}".strip()
    told = [_with(one, words, msgspec.to_builtins(cause)) if one is fallen[0] else one for one in every]
    return msgspec.structs.replace(report, why=cause), told


def _with(finding: Finding, words: str, evidence: object) -> Finding:
    return msgspec.structs.replace(
        finding, message=f"{finding.message} {words}".strip(), evidence={**finding.evidence, "why": evidence}
    )


def _gaps(report: MonitorReport, asked: Performance, kept: Kept | None, seen: Seen) -> dict[str, Measure]:
    """Estimates on the labelled rows, held against their labels; nothing while some kinds of labels come sooner."""
    if kept is None or report.labelled < asked.min_labels or report.maturity is None:
        return {}
    if report.maturity.sooner and report.label_share < _MOST:
        return {}
    known = seen.among(np.isfinite(seen.labels))
    found: Estimated = estimate_window(
        kept, known.values, known.outputs, known.ats, version=report.version, level=LEVEL
    )
    return gaps(found.metrics, report.performance)
