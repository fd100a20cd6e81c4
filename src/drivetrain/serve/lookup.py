"""Feature values for the rows of a batch: looked up online, computed from the request or from both, and its fields."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.computation import Computation
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
        self._fields = tuple(field.name for field in plan.fields)
        named = self._reader.names if self._reader else ()
        self._keys = [(name, at) for at, name in enumerate(self._fields) if name in named]
        self.views = tuple(view.name for view in plan.views)
        looked_up = [name for view in plan.views for name in view.feature_names]
        types = {field.name: TYPES[field.read_as] for field in plan.fields}
        self._computation = Computation(plan.requests, types, looked_up) if plan.requests else None
        self.names: tuple[str, ...] = (
            *looked_up,
            *(name for requests in plan.requests for name in requests.feature_names),
            *self._fields,
        )
        self._looked_up = len(looked_up)
        self.definitions: dict[str, Digest] = {view.name: view.digest for view in plan.views} | {
            requests.name: requests.digest for requests in plan.requests
        }

    @property
    def needs_frames(self) -> bool:
        """Whether rows cost less together than alone."""
        return self._computation is not None

    def warm(self) -> None:
        """Computes features over no rows, so that the first request does not pay for first use."""
        if self._computation is not None:
            self._computation.warm()

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
            keys = [{name: row[at] for name, at in self._keys} for row in rows]
            if len(rows) == 1 and self._computation is None:  # most requests, and each part of it shows in their rate
                values, aged = self._reader.read_one(keys[0], ats[0])
                values += rows[0]
                return [values], [aged]
            read = self._reader.read(keys, ats)
            vectors, ages = [values for values, _ in read], [aged for _, aged in read]
        return self._completed(rows, vectors, ages)

    def without_views(self, rows: Sequence[Row]) -> tuple[list[list[Any]], list[list[float]]]:
        """What :meth:`vectors` says where the online store can't be asked: every feature of a view is null."""
        vectors: list[list[Any]] = [[nan] * self._looked_up for _ in rows]
        return self._completed(rows, vectors, [[nan] * len(self.views) for _ in rows])

    def _completed(
        self, rows: Sequence[Row], vectors: list[list[Any]], ages: list[list[float]]
    ) -> tuple[list[list[Any]], list[list[float]]]:
        """The vectors with what comes from the request behind what was looked up."""
        if self._computation is None:
            for vector, row in zip(vectors, rows, strict=True):
                vector.extend(row)
        else:
            for vector, computed, row in zip(vectors, self._computation.values(rows, vectors), rows, strict=True):
                vector.extend(computed)
                vector.extend(row)
        return vectors, ages
