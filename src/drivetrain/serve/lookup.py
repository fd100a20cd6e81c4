"""Feature values for the rows of a batch: from the online store, from the request, and the request's own fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import DrivetrainError, FeatureError
from drivetrain.core.hashing import Digest
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.request import TYPES, RequestFeatures
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
        self.definitions: dict[str, Digest] = {view.name: view.digest for view in plan.views} | {
            requests.name: requests.digest for requests in plan.requests
        }

    @property
    def needs_frames(self) -> bool:
        """Whether rows cost less together than alone."""
        return bool(self._requests)

    def warm(self) -> None:
        """Evaluates the request features over no rows, so that the first request does not pay for first use."""
        for requests in self._requests:
            requests.evaluate(pl.DataFrame(schema=self._schema))

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
        if self._requests:
            frame = pl.DataFrame(rows, schema=self._schema, orient="row")
            for requests in self._requests:
                for vector, computed in zip(vectors, _evaluate(requests, frame).iter_rows(), strict=True):
                    vector.extend(computed)
        for vector, row in zip(vectors, rows, strict=True):
            vector.extend(row)
        return vectors, ages


def _evaluate(requests: RequestFeatures, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return requests.evaluate(frame)
    except DrivetrainError:
        raise
    except Exception as error:  # the project's own function: whatever it raises names a feature, not a traceback
        raise FeatureError(f"request features {requests.name} can't be computed: {error}") from error
