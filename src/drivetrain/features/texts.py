"""Matrices that carry the texts which some of their columns stand for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.texts import TextRow, Texts, texts_of
from drivetrain.features.exact import Floats


class TextMatrix(np.ndarray):
    """Encoded rows with texts beside them; whatever is made of it, a part or a copy, is floats alone.

    A part that kept its texts would have to know which: what takes rows takes their texts by itself.
    """

    texts: Texts | None = None


def carrying(matrix: Floats, texts: Texts) -> Floats:
    """The matrix with texts beside it.

    Args:
        matrix: Encoded rows, shape (n, fields).
        texts: Column → n texts, ``None`` for null.

    Example:
        >>> rows = carrying(np.array([[4.0], [2.0]]), {0: ["free", "hi"]})
        >>> texts_of(rows), texts_of(rows[:1])
        ({0: ['free', 'hi']}, None)
    """
    made = np.asarray(matrix, dtype=np.float64).view(TextMatrix)
    made.texts = texts
    return made


def taken(matrix: Floats, which: np.ndarray) -> Floats:
    """Some of the rows, in C order, with their texts if there are any.

    Args:
        matrix: Encoded rows, shape (n, fields).
        which: Booleans of shape (n,).
    """
    some = np.ascontiguousarray(matrix[which], dtype=np.float64)
    texts = texts_of(matrix)
    if texts is None:
        return some
    places = np.flatnonzero(which).tolist()
    return carrying(some, {at: [column[place] for place in places] for at, column in texts.items()})


def singled(matrix: Floats, places: Sequence[int]) -> list[list[float]]:
    """Rows one by one, each with its texts if there are any.

    Args:
        matrix: Encoded rows, shape (n, fields).
        places: Which of them.

    Example:
        >>> rows = singled(carrying(np.array([[4.0], [2.0]]), {0: ["free", "hi"]}), [1])
        >>> rows, texts_of(rows)
        ([[2.0]], {0: ['hi']})
    """
    rows: list[list[float]] = np.asarray(matrix, np.float64)[list(places)].tolist()
    texts = texts_of(matrix)
    if texts is None:
        return rows
    return [
        TextRow(row, {at: column[place] for at, column in texts.items()})
        for row, place in zip(rows, places, strict=True)
    ]


def gathered(rows: Sequence[Sequence[float]]) -> Floats:
    """Encoded rows as one matrix, with their texts if they carry any."""
    matrix = np.array(rows, dtype=np.float64)
    texts = texts_of(rows)
    return matrix if texts is None else carrying(matrix, texts)
