"""Statistics that were learned from rows that judge: checked against the rows that teach, anew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.run import Imputation
from drivetrain.features.encoding import encode
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject
from drivetrain.train.rows import Lesson

_CHECK = "fitted on test rows"
_NEAR = 1e-9
_GROUPS, _GROUP = 5, 5
_MEANS, _LUCK = 1e-6, 8.0


def fitted_on_test(subject: Subject, lesson: Lesson) -> Iterator[Found]:
    """Fills, categories and weights that are not those of the rows that teach.

    Args:
        subject: The training set.
        lesson: What was learned from its rows that teach.
    """
    data = subject.data
    for one in lesson.imputations:
        at = data.schema.names.index(one.feature)
        field = data.schema.fields[at]
        whole = encode(subject.frame.filter(pl.col("_label").is_not_null()), InputSchema((field,)))[:, 0]
        mine, every = (_statistic(one, field, column) for column in (data.rows[:, at], whole))
        if one.by != "constant" and not _same(mine, one.value):
            also = "; it is that of all rows, those that judge among them" if _same(every, one.value) else ""
            yield Found(
                _CHECK, one.feature,
                f"what fills {one.feature} is {_text(one.value)}, and the {one.by.replace('_', ' ')} of the rows that "
                f"teach is {_text(mine)}{also}",
                certain=True,
            )  # fmt: skip
    constants = {one.feature: one.value for one in lesson.imputations if one.by == "constant"}
    for at, field in enumerate(data.schema.fields):
        codes = data.rows[:, at] if field.categories else data.rows[:0, at]
        seen = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=len(field.categories))
        unseen = [
            name
            for name, rows in zip(field.categories, seen.tolist(), strict=True)
            if not rows and name != constants.get(field.name)
        ]
        if unseen:
            yield Found(
                _CHECK, field.name,
                f"{field.name} is encoded with {len(unseen)} categories that no row that teaches has: they were "
                f"learned elsewhere",
                certain=True,
            )  # fmt: skip
    if lesson.weighing is not None and lesson.weighing.rows != len(data.labels):
        yield Found(
            _CHECK, "",
            f"weights were learned from {lesson.weighing.rows:,} rows, and {len(data.labels):,} teach",
            certain=True,
        )  # fmt: skip


def target_encoding(subject: Subject) -> Iterator[Found]:
    """Numbers that are the mean label of the rows that share them: of all rows, or of those that teach."""
    data, label = subject.data, pl.col("_label").cast(pl.Float64)
    if not subject.frame.schema["_label"].is_numeric():
        return
    every = subject.frame.lazy().filter(label.is_not_null())
    for at, field in enumerate(data.schema.fields):
        if field.type != "number" or not _could_be_means(subject, at):
            continue
        value = pl.col(field.name).cast(pl.Float64).fill_nan(None)
        rows = every.select(value.alias("value"), label.alias("label")).drop_nulls().collect()
        check, whose = _CHECK, "all rows, those that judge among them"
        groups = _means(rows["value"].to_numpy(), rows["label"].to_numpy())
        if groups < _GROUPS:
            known = ~np.isnan(data.rows[:, at])
            check, whose = "target encoding", "the rows that teach, its own among them"
            groups = _means(data.rows[known, at], data.labels[known])
        if groups >= _GROUPS:
            yield Found(
                check, field.name,
                f"{field.name} is the mean label of the rows that share its value, to the last digit, in "
                f"{groups:,} groups: it was computed from the labels of {whose}",
                certain=check == _CHECK,
            )  # fmt: skip


def _could_be_means(subject: Subject, at: int) -> bool:
    """Whether a feature has the mean of the labels, as means of groups do, as far as a sample tells."""
    known = ~np.isnan(subject.rows[:, at])
    apart, weights = subject.rows[known, at] - subject.labels[known], subject.weights[known]
    if not len(apart):
        return False
    off = float(np.average(apart, weights=weights))
    luck = float(np.average((apart - off) ** 2, weights=weights) * (weights**2).sum()) ** 0.5 / float(weights.sum())
    return bool(abs(off) <= _LUCK * luck + _MEANS)


def _means(values: np.ndarray, labels: np.ndarray) -> int:
    """How many values are the mean label of five rows or more that share them, if all such are; else none."""
    if len(values) < _GROUPS * _GROUP or abs(float((values - labels).mean())) > _MEANS:
        return 0
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.bincount(codes, weights=labels) / counts
    many = counts >= _GROUP
    own = np.bincount(codes, weights=values) / counts
    close = np.abs(means - own) <= _NEAR * np.maximum(1.0, np.abs(means))
    spread = np.ptp(means[many]) > 0 if many.any() else False
    return int(many.sum()) if spread and close[many].all() else 0


def _statistic(one: Imputation, field: Field, column: np.ndarray) -> float | str:
    known = column[~np.isnan(column)]
    if one.by == "most_frequent":
        values, counts = np.unique(known, return_counts=True)
        found = float(values[np.argmax(counts)])
        return field.categories[int(found)] if field.type == "category" else found
    return float(np.median(known) if one.by == "median" else np.mean(known)) if len(known) else float("nan")


def _same(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) <= _NEAR * max(1.0, abs(one))


def _text(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.6g}"
