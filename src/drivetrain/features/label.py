"""What a model learns to tell: the label of a row, the moment it is predicted at, and when it became known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, get_args

import polars as pl

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.features.events import moments_of
from drivetrain.features.expression import check_row_wise, expression_digest, in_words
from drivetrain.features.target import Target, kept_label
from drivetrain.features.view import AVAILABLE_AT, EVENT_TIME, Origin

ENTITY, AT, LABEL, LABEL_AT = "_entity", "_at", "_label", "_label_at"
GROUP = "_group"
"""Of a ranking: text by which rows belong together."""
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
        value: Row expression: a boolean, text (classes), a number, or a list of text (several labels); null where the
            row has no label.
        at: Row expression of the moment of prediction; the event time if none.
        entity: Column whose text names the row in predictions and feedback; the source's key if none.
        description: For people.
        kind: Which kind of answer is asked for; none where the values decide: booleans, and numbers that are all 0 or
            1, are a yes or no, text is classes, other numbers are regression, lists of text are several labels.
        levels: Of ``quantile``: probabilities that the label is to stay below the answers with, ascending.
        group: Of ``ranking``: column by which rows belong together, such as the id of a query.
    """

    source: Origin
    value: pl.Expr
    at: pl.Expr | None = None
    entity: str | None = None
    description: str = ""
    kind: TaskKind | None = None
    levels: tuple[float, ...] = ()
    group: str | None = None

    _repr_html_ = shown

    @property
    def target(self) -> Target:
        """What is asked of its values."""
        return Target(self.kind, self.levels)

    @property
    def digest(self) -> Digest:
        """Digest of its meaning."""
        meaning = [self.source.name, expression_digest(self.value), expression_digest(self.at), self.entity]
        return digest([*meaning, *self.target.meaning, *([self.group] if self.group else [])])

    @property
    def words(self) -> str:
        """What it says, in plain words."""
        told = in_words(self.value)
        if self.kind in {None, "binary"}:
            return f"whether {told}" if self.value.meta.is_row_separable() else told
        return told if self.kind != "quantile" else f"{', '.join(f'{each:g}' for each in self.levels)} of {told}"


def label(
    source: Origin,
    value: pl.Expr,
    *,
    at: pl.Expr | None = None,
    entity: str | None = None,
    kind: TaskKind | None = None,
    levels: Sequence[float] = (),
    group: str | None = None,
    description: str = "",
) -> Label:
    """A label; see :class:`Label`.

    Raises:
        ProjectError: An expression looks beyond its row, or the kind lacks what it needs.
    """
    _check_kind(source.name, kind, levels, group)
    check_row_wise(value, f"the label of {source.name!r}")
    if at is not None:
        check_row_wise(at, f"the moment of prediction of {source.name!r}")
    return Label(
        source=source,
        value=value,
        at=at,
        entity=entity,
        kind=kind,
        levels=tuple(float(level) for level in levels),
        group=group,
        description=description,
    )


def _check_kind(source: str, kind: str | None, levels: Sequence[float], group: str | None) -> None:
    """Refuses a kind that is none, and levels and groups of other kinds than theirs."""
    if kind is not None and kind not in get_args(TaskKind):
        raise ProjectError(f"the label of {source!r} is of no known kind", found=repr(kind), expected=", ".join(KINDS))
    rising = all(low < high for low, high in pairwise(levels))
    if (kind == "quantile") != bool(levels) or not all(0 < level < 1 for level in levels) or not rising:
        raise ProjectError(
            f"the label of {source!r} does not say which quantiles",
            found=f"kind={kind!r}, levels={list(levels)}",
            expected='kind="quantile" and levels between 0 and 1, ascending, such as levels=[0.1, 0.5, 0.9]',
        )
    if (kind == "ranking") != bool(group):
        raise ProjectError(
            f"the label of {source!r} does not say which rows are ranked together",
            found=f"kind={kind!r}, group={group!r}",
            expected='kind="ranking" and group= a column, such as group="query_id"',
        )


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
        ``_entity`` (text), ``_at`` (moment of prediction), ``_label`` (float64, or text or lists of it where classes
        are told; null where there is none: such rows are kept, to be counted), ``_label_at`` (when the row, and with it
        the label, became known), ``_group`` (text) where rows are ranked in groups, then the columns; in order of
        ``_at``, then ``_entity``.

    Raises:
        FeatureError: The table lacks a column, a row has no moment of prediction, or a label can't be of its kind.
    """
    moment = pl.col(EVENT_TIME) if label.at is None else label.at
    key = [label.entity] if label.entity else list(label.source.key)
    names = rows.collect_schema().names()
    kept = list(dict.fromkeys(columns)) if columns is not None else [name for name in names if not name.startswith("_")]
    grouped = [label.group] if label.group else []
    used = {*key, *kept, *grouped, *label.value.meta.root_names(), *moment.meta.root_names(), EVENT_TIME, AVAILABLE_AT}
    missing = sorted(used - set(names))
    if missing:
        raise FeatureError(f"table {label.source.name!r} lacks columns a label needs", found=names, expected=missing)
    frame = rows.select(
        entity_text(key).alias(ENTITY),
        moment.alias(AT),
        label.value.alias(LABEL),
        pl.max_horizontal(pl.col(AVAILABLE_AT), pl.col(EVENT_TIME)).alias(LABEL_AT),
        *[pl.col(column).cast(pl.String).alias(GROUP) for column in grouped],
        *[pl.col(column) for column in kept],
    ).collect()
    frame = frame.with_columns(kept_label(frame.get_column(LABEL), label.target, label.source.name).alias(LABEL))
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
