"""Weights of rows: by group and label, so that the two are independent; or by label alone, so that rare ones count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Task
from drivetrain.core.records.run import WeighedCell, Weighing

MOST_GROUPS = 200
MOST_LABELS = 20
_NULL = "(missing)"
_YES_OR_NO: Mapping[object, str] = {True: "yes", False: "no", "yes": "yes", "no": "no"}  # 1 and 0 are True and False


@dataclass(frozen=True, init=False)
class Reweigh:
    """Weights by group and label, after Kamiran and Calders (2012).

    Rows whose group and label meet more rarely than by chance count for more, those that meet oftener for less.
    A row of group s with label y weighs ``P(s) P(y) / P(s, y)``, as counted among the rows that teach, anew in every
    split. Weighed so, label and group are independent, the weights are 1 on average, and no label is changed. Only the
    model is fitted with weights: its baselines are not, and every figure that judges counts rows alike.

    Args:
        *columns: What makes the groups, several together: features of the model by full name, fields of the request,
            or columns of the label's table. Null is a group of its own.

    Example:
        >>> Reweigh("schedule.carrier", "schedule.origin")
        Reweigh('schedule.carrier', 'schedule.origin')
    """

    columns: tuple[str, ...]

    def __init__(self, *columns: str) -> None:
        if not columns:
            raise UsageError("Reweigh needs a column that makes the groups", do='For example: dt.Reweigh("carrier")')
        if len(set(columns)) < len(columns):
            raise UsageError("Reweigh names a column twice", found=", ".join(columns), do="Name each once")
        object.__setattr__(self, "columns", columns)

    def __repr__(self) -> str:
        return f"Reweigh({', '.join(map(repr, self.columns))})"

    def learn(self, groups: pl.DataFrame, labels: np.ndarray) -> tuple[np.ndarray, Weighing]:
        """The weight of each row, and what they are made of.

        Args:
            groups: The columns, of the rows that teach and no others.
            labels: Their labels, shape (n,).

        Raises:
            TrainingError: The labels are no classes, or there are more groups than rows could tell apart.
        """
        # Names of our own throughout: a column may be called weight, label or group.
        names = [f"_{at}" for at in range(len(self.columns))]
        rows = groups.select(
            pl.col(each).cast(pl.String).alias(name) for each, name in zip(self.columns, names, strict=True)
        )
        rows = rows.with_columns(_label=pl.Series(labels))
        kinds = rows["_label"].n_unique()
        if kinds > MOST_LABELS:
            raise TrainingError(
                "rows are weighed by group and label, and these labels are no classes",
                found=f"{kinds} different labels", expected=f"{MOST_LABELS} at most", do="Leave weigh= out",
            )  # fmt: skip
        # polars counts in 32 bits, in which products of counts do not fit.
        counts = rows.group_by(*names, "_label").agg(_rows=pl.len().cast(pl.Float64))
        counts = counts.with_columns(_group=pl.sum("_rows").over(names), _alike=pl.sum("_rows").over("_label"))
        many = counts.select(names).n_unique()
        if many > MOST_GROUPS:
            raise TrainingError(
                f"rows can't be weighed by {' and '.join(self.columns)}: there are too many groups",
                found=f"{many} among {len(rows)} rows", expected=f"{MOST_GROUPS} at most",
                do="Weigh by coarser groups",
            )  # fmt: skip
        cells = counts.with_columns(_weight=pl.col("_group") * pl.col("_alike") / (pl.col("_rows") * len(rows)))
        cells = cells.sort(*names, "_label")
        weighed = rows.join(cells, on=[*names, "_label"], how="left", nulls_equal=True, maintain_order="left")
        weights = weighed["_weight"].to_numpy()
        # Null is named last, for a text may say the same.
        cells = cells.with_columns(pl.col("_rows").cast(pl.Int64))
        lacking = cells.group_by(names, maintain_order=True).agg(_labels=pl.len()).filter(pl.col("_labels") < kinds)
        cells, lacking = (told.with_columns(pl.col(names).fill_null(_NULL)) for told in (cells, lacking))
        return weights, Weighing(
            by=self.columns,
            cells=tuple(
                WeighedCell(tuple(row[: len(names)]), *row[len(names) :])
                for row in cells.select(*names, "_label", "_rows", "_weight").iter_rows()
            ),
            rows=len(rows),
            effective=effective_rows(weights),
            lacking=tuple(lacking.select(names).iter_rows()),
        )


@dataclass(frozen=True)
class ClassWeights:
    """Weights by label, so that a rare one counts as much as a common one.

    Balanced, a row of a class that n_c of n rows have weighs n / (k n_c) among k classes (King and Zeng, 2001), as
    counted among the rows that teach, anew in every split. Only the model is fitted with weights: its baselines are
    not, and every figure that judges counts rows alike. What comes of it are no shares any more: probabilities of a
    rare class are too high by far. Where they are read as chances, or rows acted on by cost, calibrate them as well.

    Args:
        of: Label → weight, such as ``{True: 8, False: 1}`` or ``{"cat": 2, "dog": 1}``, each label named; balanced
            where it is left out.

    Example:
        >>> ClassWeights({True: 8, False: 1}).columns
        ()
    """

    of: Mapping[str | bool | float, float] | None = None

    def __post_init__(self) -> None:
        """Checks the weights at the door."""
        if self.of is None:
            return
        if not self.of:
            raise UsageError("ClassWeights names no label", do="Leave it empty for balanced weights: dt.ClassWeights()")
        for label, weight in self.of.items():
            if not 0 < weight < math.inf:
                raise UsageError(f"the weight of label {label!r} is no weight", found=weight, expected="above 0")
        object.__setattr__(self, "of", dict(self.of))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it needs beside the label: none."""
        return ()

    def learn(self, labels: np.ndarray, task: Task) -> tuple[np.ndarray, Weighing]:
        """The weight of each row, and what they are made of.

        Args:
            labels: 0 or 1, or positions of classes, of the rows that teach and no others; shape (n,).
            task: What the labels stand for.

        Raises:
            TrainingError: They are no classes, or are called otherwise than the weights say.
        """
        if task.kind not in {"binary", "multiclass"}:
            raise TrainingError(
                "rows are weighed by label, and these labels are no classes", found=task.kind,
                expected="a yes or no, or one of several classes", do="Leave weigh= out",
            )  # fmt: skip
        names = task.classes or ("no", "yes")
        counts = np.bincount(labels.astype(np.intp), minlength=len(names))
        if self.of is None:
            each = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        else:
            each = self._named(names, binary=task.kind == "binary")
        weights = each[labels.astype(np.intp)]
        cells = tuple(
            WeighedCell((), float(at), int(count), float(weight))
            for at, (count, weight) in enumerate(zip(counts, each, strict=True))
            if count
        )
        return weights, Weighing(by=(), cells=cells, rows=len(labels), effective=effective_rows(weights))

    def _named(self, names: tuple[str, ...], *, binary: bool) -> np.ndarray:
        given = {(_YES_OR_NO.get(label, str(label)) if binary else _text(label)): weight
                 for label, weight in (self.of or {}).items()}  # fmt: skip
        if set(given) != set(names):
            raise TrainingError(
                "ClassWeights names other labels than there are", found=", ".join(map(repr, self.of or {})),
                expected="True and False" if binary else ", ".join(names),
            )  # fmt: skip
        return np.array([float(given[name]) for name in names])


def _text(label: object) -> str:
    return f"{label:g}" if isinstance(label, float) else str(label)


def effective_rows(weights: np.ndarray) -> float:
    """How many rows of equal weight tell as much: (Σ w)² / Σ w² (Kish, 1965).

    Example:
        >>> effective_rows(np.array([1.0, 1.0, 2.0]))
        2.6666666666666665
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
