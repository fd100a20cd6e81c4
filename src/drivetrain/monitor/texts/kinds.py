"""Which columns are texts, which are vectors; and what numbers they become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.monitor.texts.fourier import Points, Rows
from drivetrain.train.text.encoder import TextEncoder
from drivetrain.train.text.tfidf import Tfidf, TfidfEncoder

Kind: TypeAlias = Literal["number", "category", "text", "vector"]

_LOOKED = 2_000
_DISTINCT = 0.5
_WORDS = 3.0
_MOST_WORDS = 2_000


class Told(NamedTuple):
    """A column's rows as points.

    Attributes:
        points: The rows of both sides, the reference's first.
        known: Which rows have a value.
        note: What was found amiss, in a sentence; empty where nothing was.
    """

    points: Points
    known: npt.NDArray[np.bool_]
    note: str = ""


def kind_of(reference: pl.Series, window: pl.Series, texts: Sequence[str] | None) -> Kind:
    """What a column is.

    Args:
        reference: Of the reference.
        window: Of the window.
        texts: Names of the columns that are texts; without, those are whose values are mostly distinct and have three
            words or more in the mean.

    Raises:
        UsageError: It was named as a text and holds none, or holds lists that are no vectors.

    Example:
        >>> kind_of(pl.Series("x", ["a b c", "d e f"]), pl.Series("x", ["g h i"]), None)
        'text'
    """
    both = [reference.dtype, window.dtype]
    if any(isinstance(kind, (pl.List, pl.Array)) for kind in both):
        return _vector(reference, window)
    if texts is not None and reference.name in texts:
        if any(kind not in {pl.String, pl.Null} for kind in both):
            raise UsageError(
                f"column {reference.name!r} is named as a text, and holds none",
                found=f"{both[0]} in the reference, {both[1]} in the window", expected="String",
                do="Leave it out of texts=",
            )  # fmt: skip
        return "text"
    if any(kind != pl.String for kind in both):
        return "number" if reference.dtype.is_numeric() else "category"
    if texts is not None:
        return "category"
    # Both sides are looked at alike: chance may deal their rows in any way.
    some = pl.concat([_some(reference), _some(window)]).drop_nulls()
    some = some.filter(some != "")
    if some.is_empty() or some.n_unique() < _DISTINCT * len(some):
        return "category"
    words = some.str.count_matches(r"\S+").mean()
    return "text" if isinstance(words, float) and words >= _WORDS else "category"


def _some(column: pl.Series) -> pl.Series:
    return column.gather_every(max(len(column) // _LOOKED, 1)).head(_LOOKED)


def _vector(reference: pl.Series, window: pl.Series) -> Kind:
    for side, column in (("reference", reference), ("window", window)):
        inner = getattr(column.dtype, "inner", None)
        if inner is None or not inner.is_numeric():
            raise UsageError(
                f"column {reference.name!r} of the {side} holds no vectors", found=str(column.dtype),
                expected="lists of numbers, all of one length", do="Leave it out with features=",
            )  # fmt: skip
    return "vector"


def vectors(reference: pl.Series, window: pl.Series) -> Told:
    """Vectors of both sides, float32.

    One of another length than most of the reference's has no value, nor has one in which a number is missing or not
    finite.
    """
    both = pl.concat([column.cast(pl.List(pl.Float32)) for column in (reference, window)])
    lengths = both.list.len()
    usual = lengths.head(len(reference)).drop_nulls().value_counts(sort=True)
    width = int(usual[usual.columns[0]][0]) if len(usual) else 0
    fits = (lengths == width).fill_null(value=False).to_numpy() & (width > 0)
    points = np.zeros((len(both), max(width, 1)), np.float32)
    if fits.any():
        flat = both.filter(pl.Series(fits)).explode(empty_as_null=False).fill_null(float("nan"))
        points[fits] = flat.to_numpy().reshape(-1, width)
    finite = np.isfinite(points).all(axis=1)
    points[~finite] = 0.0
    known = fits & finite
    other = int((lengths.is_not_null().to_numpy() & ~fits).sum())
    broken = int((fits & ~finite).sum())
    parts = [f"{other:,} have another length than {width}"] if other else []
    parts += [f"{broken:,} hold what is no finite number"] if broken else []
    note = f"{reference.name}: of {len(both):,} vectors {' and '.join(parts)}; they count as missing" if parts else ""
    return Told(points, known, note)


def texts_as_points(name: str, texts: Sequence[str | None]) -> Told:
    """TF-IDF of the words of texts, learned from all of them: whose they are it does not know."""
    known = np.fromiter((text is not None for text in texts), np.bool_, len(texts))
    try:
        encoder = Tfidf(name, most=_MOST_WORDS).learn(texts)
    except TrainingError as error:
        empty = np.zeros(0, np.int32)
        note = f"{name}: no words to compare ({str(error).partition(';')[0]})"
        return Told(Rows(np.zeros(len(texts) + 1, np.int64), empty, empty.astype(np.float32), 1), known, note)
    return Told(sparse(encoder, texts), known)


def encoded(encoder: TextEncoder, texts: Sequence[str | None]) -> Points:
    """Texts as a version's own encoder has them."""
    if isinstance(encoder, TfidfEncoder):
        return sparse(encoder, texts)
    return encoder.matrix(texts).astype(np.float32)


def sparse(encoder: TfidfEncoder, texts: Sequence[str | None]) -> Rows:
    """TF-IDF without its zeros."""
    at: list[int] = []
    values: list[float] = []
    lengths = np.zeros(len(texts) + 1, np.int64)
    for row, text in enumerate(texts):
        found = encoder.sparse(text)
        lengths[row + 1] = len(found)
        for column, value in found:
            at.append(column)
            values.append(value)
    return Rows(np.cumsum(lengths), np.asarray(at, np.int32), np.asarray(values, np.float32), len(encoder.columns))
