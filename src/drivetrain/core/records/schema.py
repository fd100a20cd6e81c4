"""The columns a model reads, in order, and how a value of each becomes a number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from drivetrain.core.notebook import shown
from drivetrain.core.texts import TextRow

_NAN = math.nan


class Field(msgspec.Struct, frozen=True):
    """One column of a model's input.

    ``number`` and ``boolean`` become float64; ``category`` becomes the position of the value in ``categories``.
    A null, and a category never seen in training, become NaN. A ``text`` becomes its length in characters, and goes
    beside the row as it is (see :mod:`drivetrain.core.texts`); in what a model itself reads, a ``text`` is a number
    that was made of one.
    """

    name: str
    type: Literal["number", "boolean", "category", "text"] = "number"
    categories: tuple[str, ...] = ()
    description: str = ""
    fill: float | None = None
    """What the model reads in place of NaN; none where it reads NaN itself. It is put in after the row was encoded, and
    logged, so that monitoring sees what was missing."""
    indicator: bool = False
    """Whether the model also reads if the value was missing."""
    means: tuple[float, ...] = ()
    """What the model reads in place of each category, and last in place of one that is missing or was never seen; none
    where it reads categories as such. Like a fill it is put in after the row was encoded and logged."""


class InputSchema(msgspec.Struct, frozen=True):
    """A model's input matrix: one float64 column per field, in this order, offline and online."""

    fields: tuple[Field, ...]

    _repr_html_ = shown

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(field.name for field in self.fields)

    @property
    def category_positions(self) -> tuple[int, ...]:
        """Which columns hold category codes."""
        return tuple(at for at, field in enumerate(self.fields) if field.type == "category")

    @property
    def texts(self) -> tuple[int, ...]:
        """Which columns are texts."""
        return tuple(at for at, field in enumerate(self.fields) if field.type == "text")

    @property
    def fills(self) -> bool:
        """Whether the model reads other values than were encoded: fills, or means in place of categories."""
        return any(field.fill is not None or field.means for field in self.fields)

    @property
    def read(self) -> InputSchema:
        """The columns that the model itself reads: these without a fill, means as numbers, then the indicators."""
        plain = tuple(
            Field(field.name, description=field.description)
            if field.means
            else Field(field.name, field.type, field.categories, field.description)
            for field in self.fields
        )
        indicators = tuple(Field(indicator_of(field.name), "boolean") for field in self.fields if field.indicator)
        return InputSchema((*plain, *indicators))

    def encoder(self) -> RowEncoder:
        """A fast encoder for rows that come one at a time."""
        return TextRowEncoder(self) if self.texts else RowEncoder(self)


def indicator_of(feature: str) -> str:
    """Name of the column that says whether a feature was missing.

    Example:
        >>> indicator_of("plane.age")
        'plane.age is missing'
    """
    return f"{feature} is missing"


class RowEncoder:
    """Encodes one row of values as the model sees it; ``features.encoding`` does the same for whole frames."""

    def __init__(self, schema: InputSchema) -> None:
        self._codes: list[Mapping[str, float] | None] = [
            {name: float(code) for code, name in enumerate(field.categories)} if field.type == "category" else None
            for field in schema.fields
        ]
        self._all_numbers = not any(field.type == "category" for field in schema.fields)

    def encode(self, values: Sequence[object]) -> list[float]:
        """The row as floats; values in field order, ``None`` for null.

        Example:
            >>> schema = InputSchema((Field("distance"), Field("carrier", "category", ("AA", "UA"))))
            >>> schema.encoder().encode([1400, "UA"])
            [1400.0, 1.0]
        """
        if self._all_numbers and len(values) == len(self._codes):
            try:
                return list(map(float, values))  # type: ignore[arg-type]
            except TypeError:  # a null among them, or what is no number at all
                return [_NAN if value is None else float(value) for value in values]  # type: ignore[arg-type]
        return [
            _NAN if value is None else float(value) if codes is None else codes.get(value, _NAN)  # type: ignore[arg-type,call-overload]
            for codes, value in zip(self._codes, values, strict=True)
        ]


class TextRowEncoder(RowEncoder):
    """Encodes one row in which there are texts: they go beside it."""

    def __init__(self, schema: InputSchema) -> None:
        super().__init__(schema)
        self._texts = schema.texts
        self._all_numbers = False

    def encode(self, values: Sequence[object]) -> list[float]:
        """The row as floats, a :class:`~drivetrain.core.texts.TextRow`.

        Raises:
            TypeError: A text is none.

        Example:
            >>> schema = InputSchema((Field("sender_age"), Field("message", "text")))
            >>> row = schema.encoder().encode([12, "call now"])
            >>> row, row.texts
            ([12.0, 8.0], {1: 'call now'})
        """
        texts: dict[int, str | None] = {}
        plain = list(values)
        for at in self._texts:
            text = plain[at]
            if text is None or text != text:  # noqa: PLR0124 - a lookup says null as NaN, too
                texts[at], plain[at] = None, None
            elif isinstance(text, str):
                texts[at], plain[at] = text, len(text)
            else:
                raise TypeError(f"{text!r} is no text")
        return TextRow(super().encode(plain), texts)
