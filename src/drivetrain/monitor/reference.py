"""The reference profile: what a version's inputs and predictions looked like, day by day, in a few kilobytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.errors import StoreError, TrainingError, UsageError
from drivetrain.core.records import InputSchema, Task
from drivetrain.core.texts import texts_of
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column, column_of
from drivetrain.monitor.output import output_of
from drivetrain.monitor.texts.profile import Kept, TextColumn, text_column

_LAYOUT = 1


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What monitoring compares with.

    Attributes:
        layout: Version of this layout.
        days: Each day with rows, counted from 1970-01-01 UTC.
        rows: How many rows there were.
        columns: The model's inputs, in the order of its schema.
        output: The predictions.
        importance: Feature → share of the model's importance; empty if unknown.
        texts: What is kept of texts among the inputs, beside their lengths.
    """

    layout: int = _LAYOUT
    days: tuple[int, ...]
    rows: int
    columns: tuple[Column, ...]
    output: Column
    importance: dict[str, float] = {}
    texts: tuple[TextColumn, ...] = ()

    @property
    def since(self) -> Micros:
        """Midnight before the first row."""
        return self.days[0] * DAY

    @property
    def until(self) -> Micros:
        """Midnight after the last row."""
        return (self.days[-1] + 1) * DAY

    def segments(self, days: int) -> npt.NDArray[np.intp]:
        """Cuts the reference into stretches of ``days`` days that share none, counted back from its end.

        Returns:
            Segment of each day in :attr:`days`, 0 to n - 1; -1 where a day is in none, because its stretch lacks a
            quarter of its days or holds less than half the traffic of the middle one.
        """
        back = (self.days[-1] - np.asarray(self.days, np.intp)) // days
        rows = np.asarray(self.output.counts, np.int64).sum(axis=1)
        traffic = np.bincount(back, weights=rows)
        span = np.bincount(back)
        whole = (traffic >= 0.5 * np.median(traffic[traffic > 0])) & (span >= 0.75 * days)
        number = np.where(whole, np.cumsum(whole) - 1, -1)
        return np.asarray(number[back], np.intp)


_decode = msgspec.msgpack.Decoder(Reference).decode  # not made in a thread


def profile(
    values: npt.ArrayLike,
    predictions: npt.ArrayLike,
    ats: npt.ArrayLike,
    schema: InputSchema,
    *,
    task: Task = Task(),
    importance: Mapping[str, float] | None = None,
    texts: Sequence[Kept] = (),
) -> bytes:
    """Makes a version's reference profile, to be kept as a blob.

    Args:
        values: Encoded input rows, float64 of shape (n, fields).
        predictions: What the model says to them, shape (n,), or (n, outputs).
        ats: Moment of each row, microseconds UTC, shape (n,).
        schema: The model's input schema.
        task: What its answers tell.
        importance: Feature → share.
        texts: Which texts that the rows carry are looked at, and how; of all others their length is.

    Raises:
        TrainingError: There are no rows.
        UsageError: The matrix does not have one column per field, or lengths differ.
    """
    matrix = np.asarray(values, np.float64)
    field, outputs = output_of(np.asarray(predictions, np.float64), task)
    moments = np.asarray(ats, np.int64)
    if not len(moments):
        raise TrainingError("a reference profile needs rows", found="none")
    if matrix.shape != (len(moments), len(schema.fields)) or len(outputs) != len(moments):
        raise UsageError(
            "the reference rows do not fit together",
            found=f"a matrix of {matrix.shape}, {len(outputs)} predictions, {len(moments)} moments",
            expected=f"{len(moments)} rows of {len(schema.fields)} fields",
        )
    carried = texts_of(values)
    days, at = np.unique(moments // DAY, return_inverse=True)
    at = at.astype(np.intp)
    reference = Reference(
        days=tuple(days.tolist()),
        rows=len(moments),
        columns=tuple(
            column_of(field, _column(matrix, number), at, len(days)) for number, field in enumerate(schema.fields)
        ),
        output=column_of(field, outputs, at, len(days)),
        importance={name: float(share) for name, share in (importance or {}).items()},
        texts=tuple(
            text_column(kept, carried[schema.names.index(kept.name)], at, len(days)) for kept in texts if carried
        ),
    )
    return msgspec.msgpack.encode(reference)


def load(data: bytes) -> Reference:
    """Reads a profile.

    Raises:
        StoreError: The bytes are no profile that this version of drivetrain reads.
    """
    try:
        reference = _decode(data)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a reference profile can't be read: {error}", do="Train the version again") from None
    if reference.layout != _LAYOUT:
        raise StoreError("a reference profile has another layout", found=reference.layout, expected=_LAYOUT)
    return reference


def _column(matrix: Floats, number: int) -> Floats:
    return np.ascontiguousarray(matrix[:, number])
