"""Which kind of answers a label asks for, as far as the declaration tells."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from drivetrain.core.records.task import TaskKind
from drivetrain.data.source import Source
from drivetrain.features.label import Label
from drivetrain.features.request import TYPES


def declared_kind(label: Label) -> TaskKind | None:
    """The kind that is said, or that follows from the type of the label's values.

    Types of columns are those of the source's contract. A column that it does not have may be anything: what follows
    from every type it could have is taken.

    Returns:
        None where only the values can tell: a number may be 0 or 1 throughout.
    """
    if label.kind is not None:
        return label.kind
    kinds = {_kind_of(dtype) for dtype in _types(label)}
    return kinds.pop() if len(kinds) == 1 else None


def _types(label: Label) -> Iterator[pl.DataType]:
    contract = label.source.contract.columns if isinstance(label.source, Source) else {}
    known = {name: TYPES[column.type] for name, column in contract.items() if column.type in TYPES}
    names = label.value.meta.root_names()
    open_ = [name for name in names if name not in known]
    for guess in (pl.Float64(), pl.String(), pl.Boolean(), TYPES["time"]) if open_ else (pl.Null(),):
        schema = {name: known.get(name, guess) for name in names}
        try:
            yield pl.LazyFrame(schema=schema).select(label.value.alias("label")).collect_schema()["label"]
        except pl.exceptions.PolarsError:
            continue  # the expression can't be computed on such a column: it is of another type


def _kind_of(dtype: pl.DataType) -> TaskKind | None:
    if dtype == pl.Boolean:
        return "binary"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "multiclass"
    return "multilabel" if isinstance(dtype, (pl.List, pl.Array)) else None
