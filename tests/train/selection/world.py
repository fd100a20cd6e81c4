"""Training sets of which it is known which features say something."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import FitTask, Trainer
from drivetrain.core.records.selection import Selection
from drivetrain.features.target import Target
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.select import Select
from drivetrain.train.selection.choose import choose
from drivetrain.train.split import TimeSplit
from drivetrain.train.trainers import LightGBM
from train.world import AS_OF, BEGIN, moment

SPLIT = TimeSplit(test="15d", valid="25d")
QUICK = LightGBM(num_leaves=5, learning_rate=0.15, num_iterations=25, min_data_in_leaf=20)


def names(many: int) -> tuple[str, ...]:
    return tuple(f"x.f{at:02}" for at in range(many))


def frame(*, told: int, features: int, rows: int = 1_200, seed: int = 0, kind: str = "binary") -> pl.DataFrame:
    """Rows with so many features, of which the first say something of the label, and the others nothing."""
    random = np.random.default_rng([seed, told, features])
    values = random.normal(size=(rows, features))
    margin = values[:, :told] @ np.linspace(1.6, 1.1, told) if told else np.zeros(rows)
    at = BEGIN + (np.arange(rows) * 100 * DAY) // rows
    label = margin + random.normal(size=rows) * 2
    extra: dict[str, Any] = {}
    if kind == "binary":
        label = (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(float)
    if kind == "ranking":
        label = np.clip(np.round(margin + 1 + random.normal(size=rows) * 0.5), 0, 4)
        extra["_group"] = [f"g{number // 10}" for number in range(rows)]
        at = BEGIN + (np.arange(rows) // 10 * 1000 * DAY) // rows
    return pl.DataFrame(
        {
            "_entity": [f"row-{number}" for number in range(rows)],
            "_at": moment(at),
            "_label": label,
            "_label_at": moment(at + HOUR),
            **{name: values[:, place] for place, name in enumerate(names(features))},
            **extra,
        }
    )


def rows_of(data: pl.DataFrame, target: Target = Target(), preparing: Preparing = Preparing()) -> TrainingRows:
    read = [name for name in data.columns if "." in name]
    return TrainingRows.cut(data, read, SPLIT, AS_OF, needs_valid=False, target=target, preparing=preparing)


def chosen(
    data: TrainingRows, select: Select, storage: Path, trainer: Trainer = QUICK, seed: int = 1, threads: int = 1
) -> Selection:
    """What is chosen of rows."""
    lesson = data.lesson()
    task = FitTask(
        rows=lesson.rows,
        labels=lesson.labels,
        groups=lesson.groups,
        schema=lesson.schema.read if lesson.schema.fills else lesson.schema,
        kind=data.task.kind,
        classes=data.task.classes,
        levels=data.task.levels,
        parameters={},
        seed=seed,
        threads=threads,
    )
    return choose(data, trainer, task, select, storage=storage, progress=Silent(), words="select")


def mistakes(selection: Selection, told: int) -> tuple[int, int]:
    """How many that say something were left out, and how many that say nothing were kept."""
    first: Sequence[str] = names(told)
    return len(set(first) - set(selection.kept)), len(set(selection.kept) - set(first))
