"""Features that name a row, or count rows as they come: nothing is learned from them that holds for another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

TEXTS = 0.9
"""Share of texts that are different from all others, from which they are names."""
_TEXTS_LEAST, _NUMBERS_LEAST = 100, 1_000
_UNIQUE = 0.999
_SPARSE = 4
"""Whole numbers that are all different and lie in a range of fewer than so many times their count are a numbering."""
_WIDE = 2.0**31
_RISES, _NEARLY = 0.999, 0.8


def id_like(subject: Subject) -> Iterator[Found]:
    """Texts that are nearly all different; whole numbers that number the rows or are drawn at random; counters."""
    for at, field in enumerate(subject.schema.fields):
        column = subject.frame[field.name]
        if field.type == "category":
            said = _texts(column.drop_nulls())
        elif field.type == "number":
            said = _counter(subject.rows[:, at], subject.moments) or _numbering(column)
        else:
            said = None
        if said is not None:
            yield Found("id-like", field.name, f"{field.name} {said}")


def _texts(texts: pl.Series) -> str | None:
    if len(texts) < _TEXTS_LEAST:
        return None
    few = texts.gather_every(max(1, len(texts) // _NUMBERS_LEAST))  # of more rows no greater share is different
    if few.n_unique() < TEXTS * len(few):
        return None
    distinct = texts.n_unique()
    share = distinct / len(texts)
    return None if share < TEXTS else f"has {distinct:,} different values in {len(texts):,} rows: it names rows"


def _counter(values: np.ndarray, moments: np.ndarray) -> str | None:
    """Whether values rise with time, row by row."""
    known = ~np.isnan(values)
    # Rows are in order of time: what rises with it rises here too, but among those of one moment.
    if known.sum() < _TEXTS_LEAST or np.mean(np.diff(values[known]) >= 0) < _NEARLY:
        return None
    if len(np.unique(moments[known])) < _TEXTS_LEAST // 2:
        return None
    if len(np.unique(values[known])) < known.sum() / 2:
        return None
    ordered = values[known][np.lexsort((values[known], moments[known]))]
    rises = float(np.mean(np.diff(ordered) >= 0))
    if rises < _RISES:
        return None
    return f"rises from row to row in {rises:.2%} of {int(known.sum()):,}: it counts rows, or tells the time"


def _numbering(column: pl.Series) -> str | None:
    known = column.drop_nulls()
    if not column.dtype.is_integer() or len(known) < _NUMBERS_LEAST:
        return None
    few = known.head(_NUMBERS_LEAST * 10)
    if few.n_unique() < _UNIQUE * len(few):
        return None
    distinct = known.n_unique()
    if distinct < _UNIQUE * len(known):
        return None
    values = np.sort(known.cast(pl.Float64).to_numpy())
    reach = float(values[-1] - values[0])
    if reach < _SPARSE * len(known):
        return (
            f"has {distinct:,} different whole numbers in {len(known):,} rows, in a range of {reach:,.0f}: a numbering"
        )
    even = np.linspace(values[0], values[-1], len(values))
    apart = float(np.max(np.abs(values - even))) / reach
    if reach >= _WIDE and apart <= 1.7 / np.sqrt(len(values)):
        return f"has {distinct:,} different whole numbers in {len(known):,} rows, spread evenly: drawn to name rows"
    return None
