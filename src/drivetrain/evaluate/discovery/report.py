"""Slices that nobody named: half of the test days are searched, the other half judges."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import DAY, Micros
from drivetrain.core.records import Discovery
from drivetrain.evaluate.discovery.conditions import Coded, coded
from drivetrain.evaluate.discovery.judging import Half, Kept, judge
from drivetrain.evaluate.discovery.search import Search, mask_of
from drivetrain.evaluate.fairness.luck import BUNDLES
from drivetrain.evaluate.fairness.report import Answers
from drivetrain.evaluate.report import Subject

LEAST_DAYS = 16
"""Days of test rows below which halves would know too little of how days differ."""
LEAST_ROWS = 400
MOST_ROWS = 50_000
"""Rows of each half; of more, so many are drawn."""


def discover(
    answers: Answers,
    columns: pl.DataFrame,
    *,
    subject: Subject,
    left_out: Sequence[str] = (),
    level: float = 0.95,
    seed: int = 0,
    now: Micros | None = None,
) -> Discovery:
    """Searches single conditions and pairs of them for slices in which the model is worse than it says.

    Args:
        answers: The model's answers to rows that it had not seen.
        columns: What rows may be told apart by, n rows.
        subject: What is looked at, and on what.
        left_out: Columns that are not among them because their values are personal, for the record.
        level: Chance that nothing is claimed where there is nothing.
        seed: Of the cut into halves, by whole days.
        now: The record's moment; the present by default.
    """
    random = np.random.default_rng(seed)
    _, day = np.unique(answers.ats // DAY, return_inverse=True)
    days = int(day.max(initial=-1)) + 1
    told = coded(columns)
    record = Discovery(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        since=int(answers.ats.min()) if subject.since is None else subject.since,
        until=int(answers.ats.max()) + 1 if subject.until is None else subject.until,
        rows=len(answers.labels),
        columns=tuple(each.column for each in told),
        left_out=tuple(left_out),
        level=level,
    )
    if days < LEAST_DAYS or len(day) < LEAST_ROWS or not told:
        return _unable(record, days, told)
    first = np.isin(day, random.permutation(days)[: days // 2])
    searched, judging = (_drawn(np.flatnonzero(half), random) for half in (first, ~first))
    search = Search(_of(told, searched), answers.labels[searched], answers.predictions[searched])
    kept = search.kept()
    there = _of(told, judging)
    half = Half(
        answers.labels[judging], answers.predictions[judging], [each[judging] for each in _clusters(answers, day, seed)]
    )
    slices = [
        Kept(
            tuple(told[place].condition(code) for place, code in each.at),
            each.what,
            mask_of(there, each),
        )
        for each in kept
    ]
    return msgspec.structs.replace(
        record, looked_at=search.looked_at, judged=len(kept), found=tuple(judge(half, slices, level))
    )


def _clusters(answers: Answers, day: npt.NDArray[np.intp], seed: int) -> list[npt.NDArray[np.intp]]:
    """Days; where entities repeat, bundles of them besides."""
    entities = answers.entity_codes
    if entities is None or int(entities.max()) + 1 >= len(entities):
        return [day.astype(np.intp)]
    bundle = np.random.default_rng(seed + 1).integers(0, BUNDLES, int(entities.max()) + 1)
    return [day.astype(np.intp), bundle[entities].astype(np.intp)]


def _of(told: Sequence[Coded], rows: npt.NDArray[np.intp]) -> list[Coded]:
    return [Coded(each.column, each.values, each.codes[rows]) for each in told]


def _drawn(rows: npt.NDArray[np.intp], random: np.random.Generator) -> npt.NDArray[np.intp]:
    return rows if len(rows) <= MOST_ROWS else np.sort(random.choice(rows, MOST_ROWS, replace=False))


def _unable(record: Discovery, days: int, told: Sequence[Coded]) -> Discovery:
    if not told:
        return msgspec.structs.replace(record, unable="no column tells rows apart")
    few = f"{record.rows:,} rows of {days} days are too few to search one half and judge on the other"
    return msgspec.structs.replace(record, unable=few)
