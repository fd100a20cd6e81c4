"""Texts on their way to a model: rows and matrices of floats that carry them beside.

A row of a model's input is floats wherever it is looked at: logged, counted, compared, monitored. A text among its
features stands there as its length; the text itself travels with the row, to whoever opened the model, and no further.
A row or a matrix that was made anew from another has lost its texts, and a model that needs them says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Texts: TypeAlias = Mapping[int, Sequence[str | None]]
"""Column → the text of each row; ``None`` for null."""


class TextRow(list[float]):
    """An encoded row, and the texts that some of its columns stand for.

    Args:
        values: The row.
        texts: Column → its text; ``None`` for null.
    """

    __slots__ = ("texts",)

    def __init__(self, values: Sequence[float], texts: Mapping[int, str | None]) -> None:
        super().__init__(values)
        self.texts = texts


def texts_of(rows: object) -> Texts | None:
    """The texts that rows carry, a matrix or a list of rows; none where they carry none.

    Example:
        >>> texts_of([TextRow([4.0], {0: "free"}), TextRow([2.0], {0: "hi"})])
        {0: ['free', 'hi']}
        >>> texts_of([[1.0], [2.0]])
    """
    if isinstance(rows, list):
        if not rows or not all(isinstance(row, TextRow) for row in rows):
            return None
        return {at: [row.texts[at] for row in rows] for at in rows[0].texts}
    found: Texts | None = getattr(rows, "texts", None)
    return found
