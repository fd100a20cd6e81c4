"""Serving a table of rates, or of what else a baseline answers: the engine behind the baselines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np

from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.records import InputSchema

FILE = "rates.json"


Answer: TypeAlias = float | tuple[float, ...]
"""A rate; or one of each class, label or level."""


class RateTable(msgspec.Struct, frozen=True):
    """Rates by group, with the values themselves rather than their codes; null is ``None``."""

    by: tuple[str, ...]
    smoothing: float
    overall: Answer
    groups: tuple[tuple[tuple[str | float | None, ...], Answer], ...]


_decode = msgspec.json.Decoder(RateTable).decode  # not made in a thread


class RateEngine:
    """Answers with the rate of a row's group, or the overall rate. Safe to share between threads."""

    def __init__(self, table: RateTable, schema: InputSchema) -> None:
        self._width = len(schema.fields)
        self._positions = [schema.names.index(name) for name in table.by]
        self._overall = table.overall
        codes = [
            {name: float(code) for code, name in enumerate(schema.fields[at].categories)} for at in self._positions
        ]
        self._rates: dict[tuple[float | None, ...], Answer] = {
            tuple(_code(value, known) for value, known in zip(key, codes, strict=True)): rate
            for key, rate in table.groups
        }

    def predict(self, rows: Matrix) -> np.ndarray:
        """Rates, shape (n,); (n, outputs) where an answer has several numbers."""
        matrix = np.asarray(rows)
        if matrix.ndim != 2 or matrix.shape[1] != self._width:
            raise StoreError("rows of another shape", found=matrix.shape, expected=f"(n, {self._width})")
        groups, members = same(matrix[:, self._positions])
        rates = np.array([self._rates.get(group(codes), self._overall) for codes in groups.tolist()], dtype=np.float64)
        shape = () if isinstance(self._overall, float) else (len(self._overall),)
        return np.take(rates.reshape(-1, *shape), members, axis=0)

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The same of one row."""
        if len(row) != self._width:
            raise StoreError("a row of another length", found=len(row), expected=self._width)
        found = self._rates.get(group([row[at] for at in self._positions]), self._overall)
        return found if isinstance(found, float) else list(found)

    def explain(self, rows: Matrix) -> None:
        """Not known of a table."""


def _code(value: str | float | None, known: Mapping[str, float]) -> float | None:
    return known.get(value) if isinstance(value, str) else value


def open_rate(path: Path, schema: InputSchema, _threads: int = 1, /) -> RateEngine:
    """Opens a table that :class:`HistoricalRate` saved; it needs one thread, however many it may have.

    Raises:
        StoreError: The file is no such table, or the schema lacks a feature that it is by.
    """
    try:
        table = _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} is no table of rates: {error}") from None
    missing = [name for name in table.by if name not in schema.names]
    if missing:
        raise StoreError(f"{path} is a table of rates by {missing[0]!r}, which the schema lacks")
    return RateEngine(table, schema)


def same(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are equal, null equal to null: the distinct ones, and for every row the position of its own."""
    if not columns.shape[1]:
        return np.empty((min(1, len(columns)), 0)), np.zeros(len(columns), dtype=np.int64)
    groups, members = np.unique(np.where(np.isnan(columns), np.inf, columns), axis=0, return_inverse=True)
    return np.where(np.isinf(groups), np.nan, groups), members.ravel()


def group(codes: Sequence[float]) -> tuple[float | None, ...]:
    """A row's group as a key: NaN equals nothing, so null is ``None``."""
    return tuple(None if math.isnan(code) else code for code in codes)
