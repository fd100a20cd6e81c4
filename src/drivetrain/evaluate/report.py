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
from drivetrain.core.records import Evaluation, Task
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.calibration import calibration_of
from drivetrain.evaluate.classes import measure_classes
from drivetrain.evaluate.measures import comparisons, measures, resample_answers
from drivetrain.evaluate.metrics import SETS, metric_for
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.multiclass import confusion
from drivetrain.evaluate.metrics.ranked import judged
from drivetrain.evaluate.slices import measure_slices

CHAMPION = "champion"
BASELINE = "baseline"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is evaluated.

    Attributes:
        run_id: The run.
        model: Its model's name.
        data: Ref of the table version the rows come from.
        since: Where the window opens; the rows' own first moment by default.
        until: Where it ends; after the rows' own last moment by default.
        importance: Feature → share.
        task: What its answers stand for.
        metric: The metric that stands for the objective; the kind's own if it does not suit.
        unseen: Class → rows of the window left out because no row that taught has it.
    """

    run_id: str
    model: str
    data: str
    since: Micros | None = None
    until: Micros | None = None
    importance: dict[str, float] = {}
    task: Task = Task()
    metric: str = ""
    unseen: dict[str, int] = {}


def evaluate(
    predictions: npt.ArrayLike,
    labels: npt.ArrayLike,
    ats: npt.ArrayLike,
    *,
    subject: Subject,
    slices: pl.DataFrame | None = None,
    baselines: Mapping[str, npt.ArrayLike] | None = None,
    champion: tuple[int, npt.ArrayLike] | None = None,
    groups: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | None = None,
    bootstrap: Bootstrap = Bootstrap(),
    now: Micros | None = None,
) -> Evaluation:
    """Measures a model and everything it is compared with, on the same rows and the same resamples.

    Args:
        predictions: Probabilities of a yes or numbers, shape (n,); of classes, levels or several labels (n, outputs).
        labels: 0 or 1, a position among the task's classes, a number or a relevance, shape (n,); of several labels 0
            or 1, shape (n, labels).
        ats: Moment of each prediction, microseconds UTC, shape (n,).
        subject: What is evaluated, and on what.
        slices: Columns to slice by, n rows.
        baselines: Name → predictions for the same rows.
        champion: Version that serves now, and its predictions for the same rows.
        groups: Of a ranking: which rows belong together, whole numbers of shape (n,).
        clusters: What is drawn whole in place of stretches of time, whole numbers of shape (n,): rows of one number
            belong together.
        bootstrap: How intervals are made.
        now: The record's moment; the present by default.

    Raises:
        TrainingError: There are no rows, only one outcome, or something that is no label or no prediction of the kind.
    """
    task = subject.task
    kind = task.kind
    number = None if groups is None else np.asarray(groups, np.int64)
    ours = Answers(_array(labels, several=kind == "multilabel"), _said(predictions, task), task, number)
    moments = np.asarray(ats, dtype=np.int64)
    SETS[kind].check(ours, subject.model)
    if len(moments) != ours.rows:
        raise UsageError("moments do not match the rows", found=f"{len(moments)} moments", expected=ours.rows)
    positives = int(ours.labels.sum()) if kind == "binary" else None
    if positives in {0, ours.rows}:
        raise TrainingError(
            f"{subject.model} can't be evaluated: its {ours.rows} test rows all have the label {ours.labels[0]:g}",
            do="Widen the test window, or check the label's definition",
        )
    resamples = draw(moments, bootstrap, None if clusters is None else np.asarray(clusters, np.int64))
    draws = resample_answers(ours, resamples)
    rivals = {f"{BASELINE} {name}": _said(vector, task) for name, vector in (baselines or {}).items()}
    if champion is not None:
        rivals[f"{CHAMPION} v{champion[0]}"] = _said(champion[1], task)
    compared, measured = [], {}
    for name, said in rivals.items():
        theirs = ours._replace(predictions=said)
        SETS[kind].check(theirs, name)
        their_draws = resample_answers(theirs, resamples)
        compared += comparisons(draws, their_draws, name, bootstrap.level, kind)
        if name.startswith(f"{BASELINE} "):
            measured[name.removeprefix(f"{BASELINE} ")] = measures(their_draws, bootstrap.level, kind)
    return Evaluation(
        at=clock.now() if now is None else now,
        run_id=subject.run_id,
        model=subject.model,
        data=subject.data,
        since=int(moments.min()) if subject.since is None else subject.since,
        until=int(moments.max()) + 1 if subject.until is None else subject.until,
        rows=ours.rows,
        positives=positives,
        task=task,
        metric=metric_for(kind, subject.metric),
        groups=judged(ours) if kind == "ranking" else None,
        unseen=subject.unseen,
        block=bootstrap.words,
        replicates=bootstrap.replicates,
        metrics=measures(draws, bootstrap.level, kind),
        baselines=measured,
        comparisons=tuple(compared),
        slices=() if slices is None else measure_slices(ours, slices, resamples),
        calibration=calibration_of(ours, resamples),
        classes=measure_classes(ours, resamples),
        confusion=tuple(tuple(row) for row in confusion(ours)) if kind == "multiclass" else (),
        importance={name: float(share) for name, share in subject.importance.items()},
    )


def _said(predictions: npt.ArrayLike, task: Task) -> np.ndarray:
    return _array(predictions, several=bool(task.classes or task.levels))


def _array(values: npt.ArrayLike, *, several: bool) -> np.ndarray:
    """Numbers of shape (n, outputs) where an answer has several, also if that is one; else of shape (n,)."""
    found = np.ascontiguousarray(np.asarray(values, dtype=np.float64))
    if several:
        return found[:, None] if found.ndim == 1 else found
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found
