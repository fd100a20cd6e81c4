"""Feature values for the rows of a batch: looked up online, computed from the request or from both, and its fields."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import DrivetrainError, FeatureError
from drivetrain.core.hashing import Digest
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.derived import Computed, DerivedView
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.request import TYPES
from drivetrain.serve.instance import Row
from drivetrain.serve.plan import EndpointPlan


class Lookup:
    """Everything a model of the endpoint may read, as vectors in the order of :attr:`names`.

    Args:
        plan: The endpoint.
        online: Where the views' rows are.
    """

    def __init__(self, plan: EndpointPlan, online: OnlineStore) -> None:
        self._reader = OnlineReader(online, plan.views) if plan.views else None
        self._requests = plan.requests
        self._fields = tuple(field.name for field in plan.fields)
        self._schema = pl.Schema({field.name: TYPES[field.type] for field in plan.fields})
        self.views = tuple(view.name for view in plan.views)
        self.names: tuple[str, ...] = (
            *(name for view in plan.views for name in view.feature_names),
            *(name for requests in plan.requests for name in requests.feature_names),
            *self._fields,
        )
        self._looked_up = sum(len(view.feature_names) for view in plan.views)
        self._places = {name: at for at, name in enumerate(self.names)}
        self.definitions: dict[str, Digest] = {view.name: view.digest for view in plan.views} | {
            requests.name: requests.digest for requests in plan.requests
        }

    @property
    def needs_frames(self) -> bool:
        """Whether rows cost less together than alone."""
        return bool(self._requests)

    def warm(self) -> None:
        """Computes features over no rows, so that the first request does not pay for first use."""
        if self.needs_frames:
            self._compute(pl.DataFrame(schema=self._schema), [])

    def vectors(self, rows: Sequence[Row], ats: Sequence[Micros]) -> tuple[list[list[Any]], list[list[float]]]:
        """Values and ages for rows, each at its own moment.

        Returns:
            For each row its values in the order of :attr:`names` (``None`` or NaN for null), and its ages in the order
            of :attr:`views`: seconds from each view's value to the moment, NaN where there was none.

        Raises:
            FeatureError: A request feature can't be computed from these rows.
            StoreError: The online store can't be read.
        """
        if self._reader is None:
            vectors: list[list[Any]] = [[] for _ in rows]
            ages: list[list[float]] = [[] for _ in rows]
        else:
            keys = [dict(zip(self._fields, row, strict=True)) for row in rows]
            vectors, ages = [], []
            for values, aged in self._reader.read(keys, ats):
                vectors.append(list(values))
                ages.append(list(aged))
        return self._completed(rows, vectors, ages)

    def without_views(self, rows: Sequence[Row]) -> tuple[list[list[Any]], list[list[float]]]:
        """What :meth:`vectors` says where the online store can't be asked: every feature of a view is null."""
        vectors: list[list[Any]] = [[nan] * self._looked_up for _ in rows]
        return self._completed(rows, vectors, [[nan] * len(self.views) for _ in rows])

    def _completed(
        self, rows: Sequence[Row], vectors: list[list[Any]], ages: list[list[float]]
    ) -> tuple[list[list[Any]], list[list[float]]]:
        """The vectors with what comes from the request behind what was looked up."""
        if self.needs_frames:
            self._compute(pl.DataFrame(rows, schema=self._schema, orient="row"), vectors)
        for vector, row in zip(vectors, rows, strict=True):
            vector.extend(row)
        return vectors, ages

    def _compute(self, frame: pl.DataFrame, vectors: list[list[Any]]) -> None:
        """Adds features of the request and derived ones to the vectors of looked-up values."""
        columns = {column.name: column for column in frame}
        for group in self._requests:
            if isinstance(group, DerivedView):
                given = [
                    columns[name] if name in columns else self._column(group, name, vectors) for name in group.reads
                ]
                made = _evaluate(group, frame.with_columns(given))
            else:
                made = _evaluate(group, frame)
            columns |= {column.name: column for column in made}
            for vector, computed in zip(vectors, made.iter_rows(), strict=True):
                vector.extend(computed)

    def _column(self, group: DerivedView, name: str, vectors: list[list[Any]]) -> pl.Series:
        place = self._places[name]
        return group.column(name, [vector[place] for vector in vectors])


def _evaluate(group: Computed, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return group.evaluate(frame)
    except DrivetrainError:
        raise
    except Exception as error:  # the project's own function: whatever it raises names a feature, not a traceback
        raise FeatureError(f"features {group.name} can't be computed: {error}") from error
