"""A window's features together, against rows that the version was evaluated on, or that it answered before."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.core.records import JointDrift, MonitorReport
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column
from drivetrain.monitor.estimate.keeping import Kept
from drivetrain.monitor.joint.classifier import tell_apart
from drivetrain.monitor.joint.reconstruction import rebuild
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.spec import Drift
from drivetrain.monitor.statistics.area import FOLDS
from drivetrain.monitor.statistics.blocks import block_length

LEAST_ROWS = 200
"""Rows of before below which nothing is looked at together."""

_LOOKS = {"classifier": tell_apart, "reconstruction": rebuild}
_AT = "\0at"


class Earlier(NamedTuple):
    """Rows that the version answered before.

    Attributes:
        values: Encoded inputs, shape (n, fields); none where none are on record.
        ats: Moment of each, microseconds UTC.
        name: Which they are.
    """

    values: Floats | None
    ats: npt.NDArray[np.int64]
    name: Literal["trailing", "season"]


class Seen(NamedTuple):
    """The window's rows.

    Attributes:
        values: Encoded inputs, shape (n, fields), in the reference's order.
        ats: Moment of each, microseconds UTC.
        withheld: Features that the log does not keep.
    """

    values: Floats
    ats: npt.NDArray[np.int64]
    withheld: frozenset[str]


class _Sides(NamedTuple):
    before: pl.DataFrame
    now: pl.DataFrame
    against: Literal["evaluation", "trailing", "season"]
    note: str


def look_jointly(
    report: MonitorReport, asked: Drift, reference: Reference, seen: Seen, before: tuple[Earlier | None, Kept | None]
) -> MonitorReport:
    """The report with what each method asked for says of all features together.

    Whole days of rows are dealt by lot: a window of fewer than four is not looked at. Against the evaluation values are
    the numbers of their bins, as they were kept.

    Args:
        report: The window.
        asked: Methods, features, and the rate.
        reference: Names and types of the features.
        seen: The window's rows.
        before: What the version answered before, where that is asked for; and what was kept of its evaluation.
    """
    if not asked.joint:
        return report
    watched = [
        (at, column)
        for at, column in enumerate(reference.columns)
        if (not asked.features or column.name in asked.features) and column.name not in seen.withheld
    ]
    if len(watched) < 2:
        return replace(report, joint_note="not looked at together: fewer than two features are watched")
    sides = _sides(watched, seen, *before)
    if sides is None:
        return replace(report, joint_note="not looked at together: no rows of before were kept")
    found = []
    for name in dict.fromkeys(asked.joint):
        try:
            told = _LOOKS[name](sides.before, sides.now, time=_AT, block=_block(sides), false_alarm=asked.part)
        except UsageError as error:
            return replace(report, joint_note=f"not looked at together: {error.what}, found {error.found}")
        found.append(
            JointDrift(
                name=name,
                value=told.value,
                effect=told.effect,
                p_value=told.p_value,
                drifted=told.drifted,
                importance=told.importance,
                against=sides.against,
                rows=sides.before.height,
                count=sides.now.height,
                null=told.null,
            )
        )
    return replace(report, joint=tuple(found), joint_note=sides.note)


def _sides(watched: list[tuple[int, Column]], seen: Seen, earlier: Earlier | None, kept: Kept | None) -> _Sides | None:
    width = seen.values.shape[1]
    rows = None if earlier is None else earlier.values
    if earlier is not None and rows is not None and len(rows) >= LEAST_ROWS and rows.shape[1] == width:
        before = _frame(watched, rows, earlier.ats)
        return _Sides(before, _frame(watched, seen.values, seen.ats), earlier.name, "")
    if kept is None or len(kept.schema.fields) != width:
        return None
    sample = kept.sample
    note = "" if earlier is None else "the version's own answers of before are too few: held against its evaluation"
    return _Sides(
        _frame(watched, _codes(sample.codes), sample.days * DAY),
        _frame(watched, _codes(sample.encode(seen.values)), seen.ats // DAY * DAY),
        "evaluation",
        note,
    )


def _block(sides: _Sides) -> str:
    """Whole days, as many as it takes until one block says little of the next: hours of one day share its luck."""
    columns = [column.to_numpy() for column in sides.before.drop(_AT) if column.dtype.is_numeric()]
    length = block_length(sides.before[_AT].to_numpy(), columns, int(np.ptp(sides.now[_AT].to_numpy())) // FOLDS + 1)
    return f"{-(-length // DAY)}d"


def _codes(codes: npt.NDArray[np.uint8]) -> Floats:
    """Numbers of bins; 0 is no value."""
    return np.where(codes == 0, np.nan, codes.astype(np.float64))


def _frame(watched: list[tuple[int, Column]], values: Floats, ats: npt.NDArray[np.int64]) -> pl.DataFrame:
    columns = {_AT: pl.Series(ats)}
    for at, column in watched:
        found = pl.Series(np.ascontiguousarray(values[:, at])).fill_nan(None)
        columns[column.name] = found.cast(pl.Int64).cast(pl.String) if column.type == "category" else found
    return pl.DataFrame(columns)
