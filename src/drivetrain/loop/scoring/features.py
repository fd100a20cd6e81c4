"""What a version reads, for many rows at once: looked up online or joined offline, then computed, then encoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.core.protocols import OnlineStore
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.texts import texts_of
from drivetrain.features.derived import DerivedView
from drivetrain.features.encoding import encode
from drivetrain.features.exact import Floats
from drivetrain.features.label import AT
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.request import RequestFeatures
from drivetrain.features.texts import carrying, gathered
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from drivetrain.serve.plan import EndpointPlan
from drivetrain.store.tables import Tables

FeatureSource: TypeAlias = Literal["online", "offline"]
_ANY_TYPE = frozenset({"last", "top"})
"""Kinds whose features are of whatever type their source has; all others are numbers."""


class Features(Protocol):
    """Where the features of rows come from."""

    def matrix(self, rows: pl.DataFrame, at: pl.Series) -> Floats:
        """The model's input.

        Args:
            rows: The endpoint's fields, typed.
            at: The moment of each row, UTC microseconds.

        Returns:
            Shape (rows, fields of the schema), NaN for null.

        Raises:
            FeatureError: A feature can't be computed from these rows.
            StoreError: The store can't be read.
        """
        ...


class OnlineFeatures:
    """Features as the endpoint has them: views from the online rows, as of each row's moment.

    Args:
        plan: The endpoint.
        schema: What the version reads.
        store: Where the views' rows are.
    """

    def __init__(self, plan: EndpointPlan, schema: InputSchema, store: OnlineStore) -> None:
        self._requests = plan.requests
        self._schema = schema
        self._fields = {field.name: field for field in schema.fields}
        self._times = [field.name for field in plan.fields if field.read_as == "time"]
        derived = {name for group in plan.requests if isinstance(group, DerivedView) for name in group.reads}
        known = {field.name for field in schema.fields if field.type not in {"category", "text"}} - derived
        self._numbers = [view for view in plan.views if _numeric(view, known)]
        self._others = [view for view in plan.views if view not in self._numbers]
        self._columns = OnlineReader(store, self._numbers) if self._numbers else None
        self._rows = OnlineReader(store, self._others) if self._others else None

    def matrix(self, rows: pl.DataFrame, at: pl.Series) -> Floats:
        """See :class:`Features`."""
        keys = rows.with_columns(pl.col(self._times).to_physical())
        ats = at.to_physical().to_list()
        found: dict[str, Floats | Sequence[object]] = {}
        if self._columns is not None:
            held, _ = self._columns.read_columns({name: keys[name].to_list() for name in keys.columns}, ats)
            found |= zip(_names(self._numbers), held.T, strict=True)
        if self._rows is not None and ats:
            answers = self._rows.read(keys.to_dicts(), ats)
            found |= zip(_names(self._others), zip(*(values for values, _ in answers), strict=True), strict=True)
        return self._encoded(keys, self._computed(rows, found), found)

    def _computed(self, rows: pl.DataFrame, found: dict[str, Floats | Sequence[object]]) -> dict[str, pl.Series]:
        columns = {column.name: column for column in rows}
        for group in self._requests:
            if isinstance(group, DerivedView):
                given = [
                    columns[name] if name in columns else _column(group, name, found[name]) for name in group.reads
                ]
                made = _evaluate(group, rows.with_columns(given))
            else:
                made = _evaluate(group, rows)
            columns |= {column.name: column for column in made}
        return columns

    def _encoded(
        self, keys: pl.DataFrame, computed: dict[str, pl.Series], found: dict[str, Floats | Sequence[object]]
    ) -> Floats:
        matrix = np.empty((keys.height, len(self._schema.fields)), dtype=np.float64)
        texts: dict[int, Sequence[str | None]] = {}
        for place, field in enumerate(self._schema.fields):
            values = found.get(field.name)
            if values is None:
                column = computed[field.name] if field.name not in keys.columns else keys[field.name]
                encoded = encode(column.to_frame(), InputSchema((field,)))
            elif isinstance(values, np.ndarray):
                encoded = values[:, None]
            else:
                encoded = _encoded(values, field)
            matrix[:, place] = encoded[:, 0]
            if field.type == "text":
                texts[place] = (texts_of(encoded) or {})[0]
        return carrying(matrix, texts) if texts else matrix


class OfflineFeatures:
    """Features joined from the tables at each row's moment, as a training set has them.

    Args:
        plan: The endpoint.
        schema: What the version reads.
        tables: The project's tables; each is read as it is now, to the last batch.
    """

    def __init__(self, plan: EndpointPlan, schema: InputSchema, tables: Tables) -> None:
        self._plan = plan
        self._schema = schema
        self._tables = tables
        self._versions = {view.source.name: tables.version(view.source.name) for view in plan.views}

    def matrix(self, rows: pl.DataFrame, at: pl.Series) -> Floats:
        """See :class:`Features`."""
        requests = [group for group in self._plan.requests if isinstance(group, RequestFeatures)]
        derived = [group for group in self._plan.requests if isinstance(group, DerivedView)]
        labels = rows.with_columns(at.alias(AT))
        return encode(build(labels, self._plan.views, requests, self._scan, derived), self._schema)

    def _scan(self, name: str) -> pl.LazyFrame:
        return self._tables.scan(name, self._versions[name])


def _numeric(view: FeatureView, known: set[str]) -> bool:
    """Whether numbers alone say all that is read of a view."""
    named = zip(view.columns, view.feature_names, strict=True)
    return all(column.kind not in _ANY_TYPE or name in known for column, name in named)


def _names(views: Sequence[FeatureView]) -> list[str]:
    return [name for view in views for name in view.feature_names]


def _column(group: DerivedView, name: str, values: Floats | Sequence[object]) -> pl.Series:
    """Values that were looked up, as a derived view reads them."""
    if not isinstance(values, np.ndarray) or np.isnan(values).all():
        return group.column(name, list(values))
    return pl.Series(name, values, nan_to_null=True)


def _encoded(values: Sequence[object], field: Field) -> Floats:
    encoded = InputSchema((field,)).encoder().encode
    try:
        return gathered([encoded((value,)) for value in values])
    except (TypeError, ValueError) as error:
        raise FeatureError(f"a value of feature {field.name!r} does not suit the version: {error}") from error


def _evaluate(group: RequestFeatures | DerivedView, rows: pl.DataFrame) -> pl.DataFrame:
    try:
        return group.evaluate(rows)
    except FeatureError:
        raise
    except Exception as error:  # the project's own function: whatever it raises names a feature, not a traceback
        raise FeatureError(f"features {group.name} can't be computed: {error}") from error
