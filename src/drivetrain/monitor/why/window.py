"""Why a window is worse, for a person on call."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY
from drivetrain.core.records import Measure, Segment, Why
from drivetrain.evaluate.metrics import METRICS
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.wording import figure, percent
from drivetrain.monitor.estimate.domain import Ratio
from drivetrain.monitor.estimate.keeping import Kept
from drivetrain.monitor.estimate.window import too_few, unlike
from drivetrain.monitor.why.parts import OTHERS, Parts, Rows, losses_of, parts_of
from drivetrain.monitor.why.segments import segments_of

_MOST = 20_000
_TOLD = 3
_WORTH = 0.05
"""Share of the inputs' part from which on a feature is worth a word."""


def why(
    kept: Kept,
    metric: str,
    ratio: Ratio,
    *,
    values: Floats,
    outputs: Floats,
    labels: Floats | None,
    ats: npt.NDArray[np.int64],
) -> Why | None:
    """Takes a fall apart.

    Args:
        kept: What was kept of the version's evaluation.
        metric: Which one fell.
        ratio: The evaluation's rows weighed like the window's.
        values: Encoded rows of the window, those with a label where there are labels, shape (n, fields).
        outputs: What the version said to them.
        labels: What came, shape (n,); none where too few have.
        ats: Moment of each, microseconds UTC.

    Returns:
        None where the metric has no value on either rows: with labels of one kind only.
    """
    sample = kept.sample
    there = Rows(sample.labels, sample.predictions, sample.days)
    here = None
    codes = None
    if labels is not None:
        picks = np.linspace(0, len(labels) - 1, min(len(labels), _MOST)).astype(np.intp)
        here = Rows(labels[picks], np.ascontiguousarray(outputs[picks]), ats[picks] // DAY)
        codes = sample.encode(values[picks])
    names = [column.name for column in sample.columns]
    found = parts_of(metric, there, here, ratio, names, kept.task)
    if not math.isfinite(found.worse.value):
        return None
    segments: tuple[Segment, ...] = ()
    if here is not None and codes is not None:
        segments = segments_of(sample, codes, (losses_of(there, kept.task), losses_of(here, kept.task)), here.days)
    if too_few(ratio):
        refused = f"the parts can't be told apart: {unlike(ratio, len(there.labels))}"
        words = f"{refused[0].upper()}{refused[1:]}. {_rows(segments)}".strip()
        return Why(
            metric=metric,
            worse=found.worse,
            segments=segments,
            effective=ratio.effective,
            refused=refused,
            words=words,
        )
    return Why(
        metric=metric,
        worse=found.worse,
        inputs=found.inputs,
        concept=found.concept,
        features=found.features,
        segments=segments,
        effective=ratio.effective,
        words=_words(metric, found, segments),
    )


def _words(metric: str, found: Parts, segments: tuple[Segment, ...]) -> str:
    worse, inputs, concept = found.worse, found.inputs, found.concept
    title = METRICS[metric].title
    moved = [one for one in found.features if one.feature != OTHERS and one.value > _WORTH * inputs.value][:_TOLD]
    above = ", above all " + ", ".join(f"{one.feature} ({figure(one.value, sign=True)})" for one in moved)
    shift = f"{_amount(inputs)} comes from inputs that are unlike the evaluation's" + (
        above if moved and _sure(inputs) and inputs.value > 0 else ""
    )
    if concept is None:
        return f"Of the change in {title}, {shift}. Whether labels follow inputs otherwise is known when they come."
    rest = f"{_amount(concept)} from labels that follow like inputs otherwise than they did (concept)"
    return f"Of {figure(worse.value)} by which {title} is worse, {shift}, and {rest}." + (
        f" {_rows(segments)}" if segments else ""
    )


def _rows(segments: tuple[Segment, ...]) -> str:
    told = "; ".join(
        f"where {one.where} ({percent(one.share)} of rows), mean loss {figure(one.now)}, {figure(one.then)} then"
        for one in segments[:_TOLD]
    )
    return f"Moved most: {told}." if told else ""


def _amount(part: Measure) -> str:
    value = figure(part.value, sign=True)
    if part.low is None or part.high is None:
        return value
    sure = "" if _sure(part) else ", which may be chance,"
    return f"{value} [{figure(part.low, sign=True)}, {figure(part.high, sign=True)}]{sure}"


def _sure(part: Measure) -> bool:
    return part.low is not None and part.high is not None and not part.low <= 0 <= part.high
