"""Missing values filled in, and categories read as means, before a model reads a row: the one place where that is done.

A row is encoded and logged with its nulls and categories. What opens a model opens it in here if its schema says what
stands in for them; a model whose schema says nothing is opened as it is, and pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import Engine
from drivetrain.core.records import InputSchema
from drivetrain.core.records.schema import indicator_of


class Filling:
    """From encoded rows to what the model itself reads: fills for NaN, means for categories, then the indicators.

    Args:
        schema: The columns with their fills.
    """

    def __init__(self, schema: InputSchema) -> None:
        self._fills = [(at, field.fill) for at, field in enumerate(schema.fields) if field.fill is not None]
        self._means = [(at, field.means) for at, field in enumerate(schema.fields) if field.means]
        self._tables = [(at, np.array(means)) for at, means in self._means]
        self._told = [at for at, field in enumerate(schema.fields) if field.indicator]
        self.width = len(schema.fields)
        """Columns before the indicators."""

    def matrix(self, rows: Matrix) -> np.ndarray:
        """Rows of shape (n, fields) as the model reads them."""
        found = np.asarray(rows, dtype=np.float64)
        if found.ndim != 2 or found.shape[1] != self.width:
            return found  # of another shape than asked: the model says so
        filled = np.empty((len(found), self.width + len(self._told)), dtype=np.float64)
        filled[:, : self.width] = found
        filled[:, self.width :] = np.isnan(found[:, self._told])
        for at, fill in self._fills:
            column = filled[:, at]
            column[np.isnan(column)] = fill
        for at, table in self._tables:
            column = filled[:, at]
            filled[:, at] = table[np.where(np.isnan(column), -1, column).astype(np.int64)]  # the last is the prior
        return filled

    def row(self, row: Sequence[float]) -> list[float]:
        """One row as the model reads it."""
        filled = [*row, *[float(isnan(row[at])) for at in self._told]]
        for at, fill in self._fills:
            if isnan(filled[at]):
                filled[at] = fill
        for at, means in self._means:
            filled[at] = means[-1 if isnan(filled[at]) else int(filled[at])]
        return filled

    def by_feature(self, explained: np.ndarray) -> np.ndarray:
        """Contributions with those of an indicator counted to its feature; the expected value last, as before."""
        own = np.concatenate([explained[..., : self.width], explained[..., -1:]], axis=-1)
        for place, at in enumerate(self._told):
            own[..., at] += explained[..., self.width + place]
        return own


class FilledEngine:
    """A model that reads rows whose missing values are filled in, for who has them as they came.

    Args:
        engine: The model itself.
        schema: The columns with their fills.
    """

    def __init__(self, engine: Engine, schema: InputSchema) -> None:
        self._engine = engine
        self._filling = Filling(schema)

    def predict(self, rows: Matrix) -> Matrix:
        """As :meth:`Engine.predict`."""
        return self._engine.predict(self._filling.matrix(rows))

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """As :meth:`Engine.predict_row`."""
        return self._engine.predict_row(self._filling.row(row))

    def explain(self, rows: Matrix) -> Matrix | None:
        """As :meth:`Engine.explain`; what an indicator contributes counts to its feature."""
        explained = self._engine.explain(self._filling.matrix(rows))
        return None if explained is None else self._filling.by_feature(np.asarray(explained))


def own_importance(shares: dict[str, float], schema: InputSchema) -> dict[str, float]:
    """Importance by feature, where the model tells it by the columns it reads."""
    if not shares:
        return {}
    return {
        field.name: shares[field.name] + (shares[indicator_of(field.name)] if field.indicator else 0.0)
        for field in schema.fields
    }
