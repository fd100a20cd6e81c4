"""What a model learns to tell: the label of a row, the moment it is predicted at, and when it became known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.features.events import moments_of
from drivetrain.features.expression import check_row_wise, expression_digest, in_words
from drivetrain.features.view import AVAILABLE_AT, EVENT_TIME, Origin

ENTITY, AT, LABEL, LABEL_AT = "_entity", "_at", "_label", "_label_at"
_UTC = pl.Datetime("us", "UTC")


class TableReader(Protocol):
    """The part of a table store that labels need."""

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        """Rows of a table at a version."""
        ...


class TableStore(Protocol):
    """The part of a project's store that labels need."""

    @property
    def tables(self) -> TableReader:
        """Its tables."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Label:
    """The label of a source's rows.

    Attributes:
        source: Whose rows are labelled.
        value: Row expression: a boolean or a number; null where the row has no label.
        at: Row expression of the moment of prediction; the event time if none.
        entity: Column whose text names the row in predictions and feedback; the source's key if none.
        description: For people.
    """

    source: Origin
    value: pl.Expr
    at: pl.Expr | None = None
    entity: str | None = None
    description: str = ""

    _repr_html_ = shown

    @property
    def digest(self) -> Digest:
        """Digest of its meaning."""
        return digest([self.source.name, expression_digest(self.value), expression_digest(self.at), self.entity])

    @property
    def words(self) -> str:
        """What it says, in plain words."""
        return f"whether {in_words(self.value)}" if self.value.meta.is_row_separable() else in_words(self.value)


def label(
    source: Origin, value: pl.Expr, *, at: pl.Expr | None = None, entity: str | None = None, description: str = ""
) -> Label:
    """A label; see :class:`Label`.

    Raises:
        ProjectError: An expression looks beyond its row.
    """
    check_row_wise(value, f"the label of {source.name!r}")
    if at is not None:
        check_row_wise(at, f"the moment of prediction of {source.name!r}")
    return Label(source=source, value=value, at=at, entity=entity, description=description)


def entity_text(columns: Sequence[str]) -> pl.Expr:
    """Text that names a row by its key: the values, joined by ``|``."""
    return pl.concat_str([pl.col(column).cast(pl.String) for column in columns], separator="|")


def labels_of(rows: pl.LazyFrame, label: Label, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Label rows of a table.

    Args:
        rows: The table.
        label: What to tell.
        columns: Request fields and entity keys to keep beside it; every column that ingestion did not add if none.

    Returns:
        ``_entity`` (text), ``_at`` (moment of prediction), ``_label`` (float64; null where there is none: such rows
        are kept, to be counted), ``_label_at`` (when the row, and with it the label, became known), then the columns;
        in order of ``_at``, then ``_entity``.

    Raises:
        FeatureError: The table lacks a column, or a row has no moment of prediction.
    """
    moment = pl.col(EVENT_TIME) if label.at is None else label.at
    key = [label.entity] if label.entity else list(label.source.key)
    names = rows.collect_schema().names()
    kept = list(dict.fromkeys(columns)) if columns is not None else [name for name in names if not name.startswith("_")]
    used = {*key, *kept, *label.value.meta.root_names(), *moment.meta.root_names(), EVENT_TIME, AVAILABLE_AT}
    missing = sorted(used - set(names))
    if missing:
        raise FeatureError(f"table {label.source.name!r} lacks columns a label needs", found=names, expected=missing)
    frame = rows.select(
        entity_text(key).alias(ENTITY),
        moment.alias(AT),
        label.value.cast(pl.Float64).fill_nan(None).alias(LABEL),
        pl.max_horizontal(pl.col(AVAILABLE_AT), pl.col(EVENT_TIME)).alias(LABEL_AT),
        *[pl.col(column) for column in kept],
    ).collect()
    at = moments_of(frame.get_column(AT), up=False)
    if at.null_count():
        raise FeatureError(
            f"{at.null_count()} rows of {label.source.name!r} have no moment of prediction",
            do="Give the label an at= that is never null, or refuse such rows in the contract",
        )
    return frame.with_columns(at.cast(_UTC).alias(AT)).sort(AT, ENTITY, maintain_order=True)


def labels_frame(
    store: TableStore, label: Label, version: int | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Label rows of a source's table at a version; see :func:`labels_of`."""
    return labels_of(store.tables.scan(label.source.name, version), label, columns)
