"""One model on one window of labelled rows: the evaluation record."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Evaluation
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.calibration import calibration
from drivetrain.evaluate.measures import comparisons, measures, resample
from drivetrain.evaluate.metrics import check_rows
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.slices import measure_slices

CHAMPION = "champion"
BASELINE = "baseline"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is evaluated.

    ``data`` is the ref of the table version the rows come from; ``since`` and ``until`` bound the window (the rows' own
    first and last moment by default); ``importance`` is feature → share.
    """

    run_id: str
    model: str
    data: str
    since: Micros | None = None
    until: Micros | None = None
    importance: dict[str, float] = {}


def evaluate(
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    ats: npt.ArrayLike,
    *,
    subject: Subject,
    slices: pl.DataFrame | None = None,
    baselines: Mapping[str, npt.ArrayLike] | None = None,
    champion: tuple[int, npt.ArrayLike] | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    now: Micros | None = None,
) -> Evaluation:
    """Measures a model and everything it is compared with, on the same rows and the same resamples.

    Args:
        predictions: Probabilities of a yes, shape (n,).
        labels: 0 or 1, shape (n,).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        subject: What is evaluated, and on what.
        slices: Columns to slice by, n rows.
        baselines: Name → probabilities for the same rows.
        champion: Version that serves now, and its probabilities for the same rows.
        bootstrap: How intervals are made.
        now: The record's moment; the present by default.

    Raises:
        TrainingError: There are no rows, only one outcome, or something that is no label or no probability.
    """
    truth, ours = _vector(labels), _vector(predictions)
    moments = np.asarray(ats, dtype=np.int64)
    check_rows(truth, ours, subject.model)
    if len(moments) != len(truth):
        raise UsageError("moments do not match the rows", found=f"{len(moments)} moments", expected=len(truth))
    positives = int(truth.sum())
    if positives in {0, len(truth)}:
        raise TrainingError(
            f"{subject.model} can't be evaluated: its {len(truth)} test rows all have the label {truth[0]:g}",
            do="Widen the test window, or check the label's definition",
        )
    resamples = draw(moments, bootstrap)
    draws = resample(truth, ours, resamples)
    rivals = {f"{BASELINE} {name}": _vector(vector) for name, vector in (baselines or {}).items()}
    if champion is not None:
        rivals[f"{CHAMPION} v{champion[0]}"] = _vector(champion[1])
    compared, measured = [], {}
    for name, vector in rivals.items():
        check_rows(truth, vector, name)
        theirs = resample(truth, vector, resamples)
        compared += comparisons(draws, theirs, name, bootstrap.level)
        if name.startswith(f"{BASELINE} "):
            measured[name.removeprefix(f"{BASELINE} ")] = measures(theirs, bootstrap.level)
    return Evaluation(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        since=int(moments.min()) if subject.since is None else subject.since,
        until=int(moments.max()) + 1 if subject.until is None else subject.until,
        rows=len(truth),
        positives=positives,
        block=bootstrap.words,
        replicates=bootstrap.replicates,
        metrics=measures(draws, bootstrap.level),
        baselines=measured,
        comparisons=tuple(compared),
        slices=() if slices is None else measure_slices(truth, ours, slices, resamples),
        calibration=calibration(truth, ours, resamples),
        importance={name: float(share) for name, share in subject.importance.items()},
    )


def _vector(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(np.asarray(values, dtype=np.float64).ravel())
