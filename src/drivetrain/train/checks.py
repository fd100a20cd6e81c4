"""What can't be trained on, said plainly before any time is spent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from drivetrain.core.clock import iso
from drivetrain.core.errors import TrainingError
from drivetrain.core.records import InputSchema, Task
from drivetrain.train.split import Split

_MEND = "Shorten the windows of the split, or bring more data"

RESERVED = ("_entity", "_at", "_label", "_label_at")


def check_frame(frame: pl.DataFrame, features: Sequence[str]) -> None:
    """Refuses a training set without rows, or without a column it should have.

    Raises:
        TrainingError: See above; a label that is NaN or infinite, too.
    """
    missing = [name for name in (*RESERVED, *features) if name not in frame.columns]
    if missing:
        raise TrainingError(
            f"the training set lacks {len(missing)} columns",
            found=", ".join(frame.columns),
            expected=", ".join(missing),
            do="Build it again with the features the model declares",
        )
    if not features:
        raise TrainingError("the model has no features", do="Name feature views or request features in its features")
    if frame.is_empty():
        raise TrainingError(
            "the training set has no rows", do="Ingest its source, and check that the label is not null everywhere"
        )
    numbers = frame["_label"].dtype.is_numeric()
    odd = frame.filter(pl.col("_label").is_nan() | pl.col("_label").is_infinite()) if numbers else frame.clear()
    if len(odd):
        raise TrainingError(
            f"{len(odd)} labels are not finite",
            found=f"{odd['_label'][0]} for {odd['_entity'][0]!r}",
            expected="0 or 1, a number, or null where there is none",
        )


def check_split(split: Split, labels: pl.Series, *, needs_valid: bool) -> None:
    """Refuses a split with an empty part, or labels that are all the same.

    Args:
        split: The cut, null labels already left out of its masks.
        labels: ``_label`` of every row.
        needs_valid: Whether there must be validation rows.

    Raises:
        TrainingError: See above.
    """
    parts = [("train", split.train), ("test", split.test), *([("valid", split.valid)] if needs_valid else [])]
    for part, mask in parts:
        if not mask.any():
            raise TrainingError(
                f"no row falls into the {part} part",
                found=f"{split}; {split.late} rows left out, their labels not yet known",
                do=_MEND if split.timed else "Change the shares of the split, or bring more data",
            )
    for fold in split.folds:
        for part, mask in (("train", fold.train), ("valid", fold.valid)):
            if not mask.any():
                raise TrainingError(
                    f"no row falls into the {part} part of fold {fold.name}",
                    found=f"{fold.train.sum()} rows that teach, {fold.valid.sum()} that judge; {split}",
                    do=f"Ask for fewer folds; or: {_MEND}",
                )
    for part, mask in (("train", split.train), *([("valid", split.valid)] if needs_valid else [])):
        values = labels.filter(mask)
        if values.n_unique() < 2:
            raise TrainingError(
                f"every label of the {part} part is the same",
                found=f"{values[0]} in {len(values)} rows before {iso(split.until)}",
                expected="two values or more",
                do="Check the label's expression, or lengthen the window",
            )


def check_classes(split: Split, codes: np.ndarray, task: Task, *, needs_valid: bool) -> None:
    """Refuses a part in which a class never comes, or one of several labels always or never does.

    Args:
        split: The cut, null labels already left out of its masks.
        codes: Encoded labels of every row.
        task: What they stand for; only classes are looked at.
        needs_valid: Whether there must be validation rows.

    Raises:
        TrainingError: See above.
    """
    for part, mask in (("train", split.train), *([("valid", split.valid)] if needs_valid else [])):
        rows = codes[mask.to_numpy()]
        for at, name in enumerate(task.classes):
            came = rows[:, at] > 0 if task.kind == "multilabel" else rows == at
            if not came.any() or (task.kind == "multilabel" and came.all()):
                raise TrainingError(
                    f"every row of the {part} part has the label {name!r}"
                    if came.any()
                    else f"no row of the {part} part has the class {name!r}",
                    found=f"{len(rows)} rows; other parts have it" if not came.any() else f"{len(rows)} rows",
                    expected=f"rows of each of {len(task.classes)} classes in every part that teaches or chooses",
                    do="Lengthen the window, bring more data, or make one class of it and another",
                )


def check_rows(frame: pl.DataFrame, rows: np.ndarray, schema: InputSchema) -> None:
    """Refuses encoded rows with a feature that is infinite, or null throughout.

    Args:
        frame: The rows that were encoded; names the entity of a bad one.
        rows: Matrix of shape (n, fields).
        schema: The fields.

    Raises:
        TrainingError: See above.
    """
    infinite = np.isinf(rows)
    if infinite.any():
        column = int(np.flatnonzero(infinite.any(axis=0))[0])
        row = int(np.flatnonzero(infinite[:, column])[0])
        raise TrainingError(
            f"feature {schema.names[column]} is infinite in {int(infinite[:, column].sum())} rows",
            found=f"{rows[row, column]} for {frame['_entity'][row]!r}",
            expected="a finite number, or null",
            do="Guard the division or logarithm that makes it",
        )
    empty = np.flatnonzero(np.isnan(rows).all(axis=0))
    if len(empty):
        raise TrainingError(
            f"feature {schema.names[int(empty[0])]} is null in all {len(rows)} training rows",
            found=f"{len(empty)} such features: {', '.join(schema.names[int(at)] for at in empty)}",
            do="Remove it, or check its source, window and time to live",
        )
