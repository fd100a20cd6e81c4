"""What is kept of a version's evaluation for later estimates of its performance, beside the reference profile."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY
from drivetrain.core.errors import StoreError
from drivetrain.core.records import InputSchema, Task, TaskKind
from drivetrain.monitor.estimate.calibration import Calibration, observe
from drivetrain.monitor.estimate.loss import Losses, learn_losses
from drivetrain.monitor.estimate.sample import Sample, take_sample

ESTIMATED: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")
"""Kinds of answers whose performance is estimated."""

_LAYOUT = 1
_SECTION = "estimate"
LEAST_ROWS = 200
"""Evaluation rows below which nothing is kept: what they say of a probability is little."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation, in so far as estimates rest on it.

    Attributes:
        layout: Version of this layout.
        task: What the version's answers tell.
        rows: How many rows were evaluated.
        schema: The version's input.
        threshold: From which on a prediction is acted on.
        calibrations: Of a yes or no, one; of classes, one each.
        losses: Of a number.
        sample: Rows to be weighed like a window's.
    """

    layout: int = _LAYOUT
    task: Task
    rows: int
    schema: InputSchema
    threshold: float = 0.5
    calibrations: tuple[Calibration, ...] = ()
    losses: Losses | None = None
    sample: Sample

    @property
    def rate(self) -> float | None:
        """Share of the evaluation's rows that came true; none where answers are no yes or no, or it is none or all."""
        if self.task.kind != "binary":
            return None
        came, rows = sum(self.calibrations[0].came), sum(self.calibrations[0].rows)
        return came / rows if 0 < came < rows else None


class _Section(msgspec.Struct, frozen=True):
    estimate: Kept | None = None


_decode = msgspec.msgpack.Decoder(_Section).decode  # not made in a thread
_parts = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode


def keep(
    values: npt.ArrayLike,
    outputs: npt.ArrayLike,
    labels: npt.ArrayLike,
    ats: npt.ArrayLike,
    *,
    schema: InputSchema,
    task: Task = Task(),
    threshold: float | None = None,
    withheld: frozenset[str] = frozenset(),
) -> Kept | None:
    """Keeps what estimates need of evaluated rows.

    Args:
        values: Encoded input rows, shape (n, fields), in order of time.
        outputs: What the model says to them, shape (n,), or (n, classes).
        labels: What came: 0 or 1, positions of classes, or numbers.
        ats: Moment of each row, microseconds UTC.
        schema: The model's input.
        task: What its answers tell.
        threshold: From which on a prediction is acted on; one half by default.
        withheld: Features whose values are not to be kept.

    Returns:
        None where there are fewer than :data:`LEAST_ROWS` rows, or answers of which nothing can be estimated.
    """
    matrix, said = np.asarray(values, np.float64), np.asarray(outputs, np.float64)
    truth, days = np.asarray(labels, np.float64), np.asarray(ats, np.int64) // DAY
    if task.kind not in ESTIMATED or len(truth) < LEAST_ROWS:
        return None
    calibrations: tuple[Calibration, ...] = ()
    if task.kind == "binary":
        calibrations = (observe(said, truth, days),)
    elif task.kind == "multiclass":
        calibrations = tuple(
            observe(np.ascontiguousarray(said[:, at]), (truth == at).astype(np.float64), days)
            for at in range(said.shape[1])
        )
    return Kept(
        task=task,
        rows=len(truth),
        schema=schema,
        threshold=0.5 if threshold is None else threshold,
        calibrations=calibrations,
        losses=learn_losses(matrix, said, truth, days, schema) if task.kind == "regression" else None,
        sample=take_sample(matrix, said, truth, days, schema, withheld),
    )


def keep_beside(profile: bytes, kept: Kept | None) -> bytes:
    """A reference profile with one section more, which readers of the profile pass over."""
    if kept is None:
        return profile
    return msgspec.msgpack.encode({**_parts(profile), _SECTION: kept})


def load_kept(data: bytes) -> Kept | None:
    """What was kept beside a reference profile; none of versions older than estimates, or with too few rows.

    Raises:
        StoreError: It can't be read.
    """
    try:
        kept = _decode(data).estimate
    except msgspec.MsgspecError as error:
        raise StoreError(f"what estimates rest on can't be read: {error}", do="Train the version again") from None
    if kept is not None and kept.layout != _LAYOUT:
        raise StoreError("what estimates rest on has another layout", found=kept.layout, expected=_LAYOUT)
    return kept
