"""Drift in plain words, ranked by how much the model leans on what drifted."""

from __future__ import annotations

import numpy as np

from drivetrain.core.records import FeatureDrift, MonitorReport
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.wording import percent, span
from drivetrain.monitor.column import Column
from drivetrain.monitor.drift import comparable, whole_days
from drivetrain.monitor.finding import Finding, Severity
from drivetrain.monitor.output import OUTPUT
from drivetrain.monitor.reference import Reference

_TOLD = 3
_SHOWN = 20
_OF_TEXTS = ("words", "mmd")
NULLS = 0.05
"""A share of nulls that moves by more than this is the first thing to say."""


def judge_drift(
    report: MonitorReport, reference: Reference, values: Floats, predictions: Floats, weight: float
) -> list[Finding]:
    """Says which drifted features matter, and whether the predictions drifted.

    Args:
        report: With its drift measured.
        reference: What it was measured against.
        values: The window's encoded rows, in the reference's order.
        predictions: Its predictions.
        weight: Share of importance from which on drifted features are a warning.
    """
    drifted = [drift for drift in report.drift if drift.drifted]
    place = {column.name: at for at, column in enumerate(reference.columns)}
    known = reference.importance
    ranked = sorted(drifted, key=lambda drift: (-known.get(drift.feature, 0.0), -drift.value / drift.threshold))
    found: list[Finding] = []
    if ranked:
        heavy = sum(known.get(drift.feature, 0.0) for drift in ranked)
        severity: Severity = "warning" if heavy >= weight or not known else "info"
        told = [
            _sentence(drift, reference.columns[place[drift.feature]], values[:, place[drift.feature]], known)
            for drift in ranked[:_TOLD]
        ]
        rest = f"; and {len(ranked) - _TOLD} more" if len(ranked) > _TOLD else ""
        share = f", which carry {percent(heavy)} of the model's importance" if known else ""
        message = (
            f"{report.endpoint}: on {span(report.since, report.until)}, {len(ranked)} of {len(report.drift)} features "
            f"{'is' if len(ranked) == 1 else 'are'} unlike {_unlike(report, reference)}{share}: "
            f"{'; '.join(told)}{rest}.{_note(report)}"
        )
        if len(ranked) == 1:
            message = message.replace("which carry", "which carries")
        found.append(Finding("drift", severity, message, {"features": [_figures(d, known) for d in ranked[:_SHOWN]]}))
    if report.output is not None and report.output.drifted:
        words = describe(reference.output, predictions)
        message = (
            f"{report.endpoint}: the predictions of {span(report.since, report.until)} are unlike those on the "
            f"training rows of v{report.version}: {words}."
        )
        found.append(Finding(f"drift.{OUTPUT}", "warning", message, {"features": [_figures(report.output, {})]}))
    return found


def describe(column: Column, values: Floats) -> str:
    """How a window's values differ from the reference's, in words."""
    total = np.asarray(column.counts, np.float64).sum(axis=0)
    here = column.histogram(values)
    before, now = total / max(total.sum(), 1.0), here / max(here.sum(), 1.0)
    if abs(now[-1] - before[-1]) > NULLS:
        what = "missing or never seen in training" if column.type == "category" else "missing"
        return f"{percent(float(now[-1]))} {what}, {percent(float(before[-1]))} in training"
    if column.type == "category":
        moved = int(np.argmax(np.abs(now[:-1] - before[:-1])))
        return (
            f"{column.names[moved]} makes up {percent(float(now[moved]))}, {percent(float(before[moved]))} in training"
        )
    finite = values[np.isfinite(values)]
    if not len(finite) or not column.quantiles:
        return "no values at all"
    lowest, first, middle, third, highest = column.quantiles
    words = f"median {np.median(finite):.4g}, in training {middle:.4g} (middle half {first:.4g} to {third:.4g})"
    above, below = float((finite > highest).mean()), float((finite < lowest).mean())
    if max(above, below) >= 0.15:
        side, mark = ("above", highest) if above >= below else ("below", lowest)
        words += f", {percent(max(above, below))} of values {side} {mark:.4g} where 5 % were"
    return words


def _sentence(drift: FeatureDrift, column: Column, values: Floats, importance: dict[str, float]) -> str:
    share = importance.get(drift.feature)
    weight = f" ({percent(share)} of importance)" if share is not None else ""
    if drift.statistic in _OF_TEXTS:
        what = "other words" if drift.statistic == "words" else "texts of another kind"
        return f"{drift.feature}{weight}: {what} ({drift.words or f'{drift.statistic} {drift.value:.3f}'})"
    return f"{drift.feature}{weight}: {describe(column, np.ascontiguousarray(values))}"


def _figures(drift: FeatureDrift, importance: dict[str, float]) -> dict[str, object]:
    return {
        "feature": drift.feature,
        "importance": importance.get(drift.feature),
        "statistic": drift.statistic,
        "value": drift.value,
        "threshold": drift.threshold,
        "p_value": drift.p_value,
        **({"words": drift.words} if drift.words else {}),
        "null_share": drift.null_share,
        "reference_null_share": drift.reference_null_share,
    }


def _unlike(report: MonitorReport, reference: Reference) -> str:
    days = whole_days(report.since, report.until)
    stretch = "any day" if days == 1 else f"any {days} days"
    if report.against == "trailing":
        return f"{stretch} that v{report.version} answered just before"
    if report.against == "season":
        return f"{stretch} that v{report.version} answered in this season of the years before"
    rows = stretch if comparable(reference, days) else "the rows"
    return f"{rows} v{report.version} was trained on ({span(reference.since, reference.until)})"


def _note(report: MonitorReport) -> str:
    return f" ({report.against_note[0].upper()}{report.against_note[1:]}.)" if report.against_note else ""
