"""Columns of two frames, as what is compared: numbers in order, categories counted."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.errors import UsageError
from drivetrain.evaluate.ranking import Floats

MOST_CATEGORIES = 50
"""Categories that are cells of their own, the most frequent on both sides together; all others are one."""


def shared(reference: pl.DataFrame, window: pl.DataFrame, features: tuple[str, ...]) -> list[str]:
    """Names of the columns that are compared.

    Raises:
        UsageError: A side has no rows, no column is on both sides, one that was asked for is not, or its types differ.
    """
    for side, frame in (("reference", reference), ("window", window)):
        if frame.is_empty():
            raise UsageError(f"there is nothing to compare: the {side} has no rows")
    names = list(features) or [name for name in reference.columns if name in window.columns]
    for name in names:
        for side, frame in (("reference", reference), ("window", window)):
            if name not in frame.columns:
                raise UsageError(f"the {side} has no column {name!r}", expected=", ".join(frame.columns))
        if _sort(reference[name]) != _sort(window[name]):
            raise UsageError(
                f"column {name!r} can't be compared with itself",
                found=f"{reference[name].dtype} in the reference, {window[name].dtype} in the window",
                do="Cast one of them",
            )
    if not names:
        raise UsageError("reference and window have no column in common", found=", ".join(window.columns))
    return names


def _sort(column: pl.Series) -> str:
    if isinstance(column.dtype, (pl.List, pl.Array)):
        return "vector"
    return "number" if is_number(column) else "category"


def is_number(column: pl.Series) -> bool:
    """Whether a column is of numbers, booleans or times; of anything else, its values' text is a category.

    Example:
        >>> is_number(pl.Series([1, 2])), is_number(pl.Series(["a"]))
        (True, False)
    """
    return column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype in (pl.Boolean, pl.Null)


def numbers(column: pl.Series) -> Floats:
    """Values as float64; nulls are NaN, of times what they are counted in."""
    plain = column.to_physical() if column.dtype.is_temporal() else column
    return plain.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def categories(reference: pl.Series, window: pl.Series) -> tuple[Floats, Floats]:
    """Counts of both sides over the same cells: frequent categories, all others, nulls.

    Example:
        >>> then, now = categories(pl.Series("kind", ["a", "a", "b"]), pl.Series("kind", ["b", None]))
        >>> then.tolist(), now.tolist()
        ([2.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0])
    """
    sides = [_counted(column) for column in (reference, window)]
    names = [{name: count for name, count in side.items() if name is not None} for side in sides]
    both: dict[str, int] = {}
    for side in names:
        for name, count in side.items():
            both[name] = both.get(name, 0) + count
    # What is kept is chosen by both sides together: chance may deal them in any way.
    kept = sorted(both, key=lambda name: (-both[name], name))[:MOST_CATEGORIES]
    known = set(kept)
    counts = [
        [
            *(side.get(name, 0) for name in kept),
            sum(count for name, count in side.items() if name not in known),
            whole.get(None, 0),
        ]
        for side, whole in zip(names, sides, strict=True)
    ]
    return np.asarray(counts[0], np.float64), np.asarray(counts[1], np.float64)


def _counted(column: pl.Series) -> dict[str | None, int]:
    counted = column.rename("value").value_counts(name="count").with_columns(pl.col("value").cast(pl.String))
    return dict(counted.iter_rows())
