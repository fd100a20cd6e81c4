"""Frames as a model's input matrix; agrees value for value with :class:`drivetrain.core.records.schema.RowEncoder`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.core.records import Field, InputSchema
from drivetrain.features.exact import Floats
from drivetrain.features.texts import carrying

TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Null)
"""Types of columns that hold text, or nothing."""

CATEGORIES = 255
"""How many values of a category are told apart, the most frequent first; the others read as unseen."""


def schema_of(
    frame: pl.DataFrame, features: Sequence[str], descriptions: Mapping[str, str] | None = None
) -> InputSchema:
    """Learns how columns become numbers.

    Args:
        frame: Training rows, and no others: a category is a value that a training row has.
        features: The columns, in order.
        descriptions: What columns are, for people.

    Returns:
        Text as categories (sorted; of more than 255 the most frequent), booleans, and numbers.

    Raises:
        FeatureError: A column is missing, or a model can't read its type.

    Example:
        >>> schema_of(pl.DataFrame({"carrier": ["UA", "AA", None]}), ["carrier"]).fields[0].categories
        ('AA', 'UA')
    """
    missing = sorted(set(features) - set(frame.columns))
    if missing:
        raise FeatureError("the training set lacks features", found=frame.columns, expected=missing)
    said = descriptions or {}
    return InputSchema(tuple(_field(frame.get_column(name), said.get(name, "")) for name in features))


def encode(frame: pl.DataFrame, schema: InputSchema) -> Floats:
    """Encodes rows.

    Args:
        frame: Rows with the schema's columns; the type of each must fit its field.
        schema: How columns become numbers.

    Returns:
        Float64 matrix in C order, shape (rows, fields); NaN for null, and for a category never seen. Texts go beside
        it, as :mod:`drivetrain.features.texts` says.

    Raises:
        FeatureError: A column is missing or of another type.
    """
    matrix = np.empty((len(frame), len(schema.fields)), dtype=np.float64)
    for at, field in enumerate(schema.fields):
        if field.name not in frame.columns:
            raise FeatureError(f"rows lack feature {field.name!r}", found=frame.columns)
        matrix[:, at] = _encoded(frame.get_column(field.name), field)
    texts = {at: _texts(frame.get_column(schema.fields[at].name)) for at in schema.texts}
    return carrying(matrix, texts) if texts else matrix


def _field(column: pl.Series, description: str) -> Field:
    dtype = column.dtype
    if dtype == pl.Boolean:
        return Field(column.name, "boolean", description=description)
    if dtype.is_numeric() or dtype == pl.Null:
        return Field(column.name, "number", description=description)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        counts = column.cast(pl.String).drop_nulls().alias("value").value_counts(name="rows")
        kept = counts.sort(["rows", "value"], descending=[True, False]).head(CATEGORIES)
        return Field(column.name, "category", tuple(kept.get_column("value").sort()), description)
    raise FeatureError(
        f"a model can't read feature {column.name!r}",
        found=dtype,
        expected="numbers, booleans or text",
        do="Make one of these of it, for example with .dt.hour()",
    )


def _encoded(column: pl.Series, field: Field) -> Floats:
    dtype = column.dtype
    if field.type == "text":
        if dtype not in TEXTS:
            raise FeatureError(f"feature {field.name!r} changed its type", found=dtype, expected="text")
        return column.cast(pl.String).str.len_chars().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if field.type == "category":
        if dtype not in TEXTS:
            raise FeatureError(f"feature {field.name!r} changed its type", found=dtype, expected="text")
        if not field.categories:
            return np.full(len(column), np.nan)
        codes = column.cast(pl.String).cast(pl.Enum(field.categories), strict=False).to_physical()
        return codes.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if not (dtype.is_numeric() or dtype in (pl.Boolean, pl.Null)):
        raise FeatureError(f"feature {field.name!r} changed its type", found=dtype, expected=field.type)
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _texts(column: pl.Series) -> list[str | None]:
    return column.cast(pl.String).to_list()
