"""The report on a training set, made before anything is learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import TrainingError
from drivetrain.core.records import BiasReport
from drivetrain.evaluate.bias.comparing import LEVEL, Comparing
from drivetrain.evaluate.bias.counting import LABEL, LEAST, Rows
from drivetrain.evaluate.bias.groups import Hiding, Protected, groupings

OFTENEST = 12
"""Columns told of all rows: those that are null most often."""


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        report_id: The report's id.
        model: The model's name.
        data: Ref of the table version the rows come from.
        protected: The attributes, in order.
        features: The columns whose nulls are counted.
        until: Where the rows' moments end.
        personal: The attributes whose values are personal: groups of few rows are told among the others.
    """

    report_id: str
    model: str
    data: str
    protected: Sequence[Protected]
    features: Sequence[str]
    until: Micros
    personal: frozenset[str] = frozenset()


def bias_report(frame: pl.DataFrame, question: Question, *, now: Micros | None = None) -> BiasReport:
    """Looks at the rows that a model would learn from.

    Args:
        frame: ``_at``, ``_label``, the attributes and the features; a row whose label is null teaches nothing, and is
            looked at for that alone.
        question: What is asked.
        now: The record's moment; the present by default.

    Raises:
        TrainingError: No row has a label.
    """
    rows = Rows(frame, question.features)
    if not rows.taught.any():
        raise TrainingError(
            f"{question.model} has no labelled rows to look for bias in",
            do="Bring more data, or shorten the windows of its split",
        )
    attributes = [each.name for each in question.protected]
    shares = {each.name: each.shares for each in question.protected}
    compared = [
        Comparing(
            rows,
            grouping,
            [shares[grouping.attributes[0]].get(value[0]) if len(value) == 1 else None for value in grouping.values],
        )
        for grouping in groupings(
            frame.select(attributes), question.protected, Hiding(question.personal, rows.taught, LEAST)
        )
    ]
    numbers = [comparing.numbers() for comparing in compared]
    together = {kind: sum(each[kind] for each in numbers) for kind in numbers[0]}
    taught = frame.filter(rows.taught)
    missing = {column: nulls.tally for column, nulls in rows.lacking.items()}
    oftenest = sorted(missing, key=lambda column: (column != LABEL, -missing[column].share))[:OFTENEST]
    return BiasReport(
        at=clock.now() if now is None else now,
        report_id=question.report_id,
        model=question.model,
        data=question.data,
        since=int(taught["_at"].dt.epoch("us").to_numpy().min()),
        until=question.until,
        rows=taught.height,
        unlabelled=frame.height - taught.height,
        positives=None if rows.positives is None else int(rows.positives.sum()),
        protected=tuple(attributes),
        block="day" if rows.clustered else "row",
        least=LEAST,
        level=LEVEL,
        compared=together,
        missing={column: missing[column].measure(LEVEL) for column in oftenest},
        groups=tuple(group for comparing in compared for group in comparing.groups(together)),
    )
