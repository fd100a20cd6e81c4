"""From a label's values to what a model is fitted to: which kind of answer they ask for, and numbers for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.errors import FeatureError, TrainingError
from drivetrain.core.records.task import KINDS, Task, TaskKind
from drivetrain.features.exact import Floats

MOST_CLASSES = 1_000
"""More different texts than this are no classes."""

_TEXT = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Target:
    """What is asked of a label's values.

    Attributes:
        kind: Which kind of answer; none where the values decide.
        levels: Of quantiles: the probabilities, ascending.
    """

    kind: TaskKind | None = None
    levels: tuple[float, ...] = ()

    @property
    def meaning(self) -> list[str]:
        """What it is, as text; nothing where the values decide."""
        return [] if self.kind is None else [self.kind, *map(repr, self.levels)]


def kept_label(values: pl.Series, target: Target, whose: str) -> pl.Series:
    """A label column as training sets keep it: numbers, text, or lists of text; null where there is no label.

    Raises:
        FeatureError: Values of this type can't be of the kind asked for.
    """
    dtype, kind = values.dtype, target.kind
    listed = isinstance(dtype, (pl.List, pl.Array))
    if listed and kind in {None, "multilabel"}:
        return values.cast(pl.List(pl.String))
    if dtype == pl.Null and kind == "multilabel":
        return values.cast(pl.List(pl.String))
    if listed or kind == "multilabel":
        raise _unsuited(values, kind or "multilabel", whose)
    if kind == "multiclass" or (kind is None and dtype in _TEXT):
        whole = dtype.is_float() and bool((values.drop_nulls() % 1 == 0).all())
        return (values.cast(pl.Int64) if whole else values).cast(pl.String)
    if dtype in _TEXT or dtype.is_temporal():
        raise _unsuited(values, kind or "regression", whose)
    return values.cast(pl.Float64).fill_nan(None)


def kind_of(values: pl.Series, target: Target) -> TaskKind:
    """The kind of answer that a kept label column asks for: numbers that are all 0 or 1 are a yes or no.

    Example:
        >>> kind_of(pl.Series([0.0, 1.0, None]), Target()), kind_of(pl.Series([0.0, 7.5]), Target())
        ('binary', 'regression')
    """
    if target.kind is not None:
        return target.kind
    if isinstance(values.dtype, pl.List):
        return "multilabel"
    if values.dtype == pl.String:
        return "multiclass"
    return "binary" if values.drop_nulls().is_in([0.0, 1.0]).all() else "regression"


def task_of(values: pl.Series, kind: TaskKind, levels: tuple[float, ...] = ()) -> Task:
    """The task that rows teach, with the classes they have: in order of number if all are whole numbers, else of text.

    Args:
        values: Their labels, as kept.
        kind: Of which kind.
        levels: Of quantiles.

    Raises:
        TrainingError: There are more classes than could be told apart.
    """
    if kind not in {"multiclass", "multilabel"}:
        return Task(kind, levels=levels)
    every = values.explode() if kind == "multilabel" else values
    names = every.drop_nulls().unique().to_list()
    if len(names) > MOST_CLASSES:
        raise TrainingError(
            "the label has too many classes", found=f"{len(names):,}, such as {names[0]!r}",
            expected=f"{MOST_CLASSES:,} at most", do="Make coarser classes of it",
        )  # fmt: skip
    return Task(kind, tuple(sorted(names, key=int if all(map(_is_whole, names)) else str)))


def encode_labels(values: pl.Series, task: Task) -> tuple[Floats, dict[str, int]]:
    """Labels as a model is fitted to and judged by.

    Args:
        values: As kept, none null.
        task: What they ask for.

    Returns:
        Numbers, or positions of classes, shape (n,), NaN for a class that the task does not have; of several labels 0
        or 1, shape (n, labels). And class → how many rows have it although the task does not.
    """
    if task.kind == "multilabel":
        held = [set(row) for row in values.to_list()]
        strange = Counter(name for row in held for name in row.difference(task.classes))
        return np.array([[float(name in row) for name in task.classes] for row in held]).reshape(
            len(held), len(task.classes)
        ), dict(sorted(strange.items()))
    if task.kind == "multiclass":
        codes = values.cast(pl.Enum(task.classes), strict=False).to_physical().cast(pl.Float64)
        unknown = values.filter(codes.is_null()).to_list()
        return codes.fill_null(float("nan")).to_numpy(), dict(sorted(Counter(unknown).items()))
    return values.cast(pl.Float64).to_numpy(), {}


def _unsuited(values: pl.Series, kind: TaskKind, whose: str) -> FeatureError:
    expected: Mapping[str, str] = {"multilabel": "lists of text", "binary": "a boolean", "multiclass": "text"}
    return FeatureError(
        f"the label of {whose!r} can't be {KINDS[kind]}",
        found=values.dtype,
        expected=expected.get(kind, "a number"),
        do="Change the label's expression, or its kind=",
    )


def _is_whole(text: str) -> bool:
    return text.lstrip("-").isdecimal()
