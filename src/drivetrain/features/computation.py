"""Features computed from requests, from what was looked up for them, and from each other, all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from drivetrain.core.errors import DrivetrainError, FeatureError
from drivetrain.features.derived import Computed, DerivedView, looked_up

_FEW = 32
"""Rows up to which a frame is made faster from rows than from columns."""


class Computation:
    """The computed features of an endpoint, made ready once for whatever requests come.

    Groups that read nothing of each other are a level, and a level is one call of Polars: beginning one takes as long
    as several of its expressions. What it gives is what each group's ``evaluate`` gives.

    Args:
        groups: The groups, each after those that it reads.
        fields: Request field → its type, in the order of a row's values.
        features: Full names of the features that are looked up, in the order in which their values come.
    """

    def __init__(self, groups: Sequence[Computed], fields: Mapping[str, pl.DataType], features: Sequence[str]) -> None:
        self._groups = tuple(groups)
        self._schema = pl.Schema(fields)
        self._places = {name: at for at, name in enumerate(features)}
        self.names = tuple(name for group in groups for name in group.feature_names)
        """Full names of the features, in the order of their values."""
        read = dict.fromkeys(name for group in groups for name in group.reads if name not in self.names)
        self._fields = [(name, at, fields[name]) for at, name in enumerate(fields) if name in read]
        self._looked_up = [name for name in read if name not in fields]
        self._types = {name: group.types[name] for group in groups for name in self._looked_up if name in group.reads}
        *before, last = _levels(self._groups)
        self._before = [[expr for group in level for expr in group.named] for level in before]
        there = {name: pl.col(name) for level in before for group in level for name in group.feature_names}
        there |= {name: expr for group in last for name, expr in zip(group.feature_names, group.named, strict=True)}
        self._last = [there[name] for name in self.names]
        self._apart = not read or not self._agree()

    def values(self, rows: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """The features' values for each row, in the order of :attr:`names`.

        Args:
            rows: Values of the fields; times as microseconds.
            found: For each row values of the features that were looked up; ``None`` or NaN for null.

        Raises:
            FeatureError: A feature can't be computed from these rows.
        """
        if not self._apart:
            try:
                return self._together(rows, found)
            except Exception:  # noqa: BLE001, S110 - asked by itself, the group it comes from says what is wrong
                pass
        return self._one_by_one(rows, found)

    def warm(self) -> None:
        """Computes over no rows, so that the first request does not pay for first use.

        Raises:
            FeatureError: A group lacks fields.
        """
        self._one_by_one([], [])
        self.values([], [])

    def _together(self, rows: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        frame = _frame([*self._given(rows), *self._found(found)])
        # In sequence: threads that share out a few rows take longer to wake than these to compute.
        for level in self._before:
            frame = frame.with_columns_seq(level)
        return frame.select_seq(self._last).rows()

    def _given(self, rows: Sequence[Sequence[Any]]) -> Iterator[_Column]:
        for name, place, dtype in self._fields:
            yield name, [row[place] for row in rows], dtype

    def _found(self, found: Sequence[Sequence[Any]]) -> Iterator[_Column]:
        for name in self._looked_up:
            place = self._places[name]
            yield name, *looked_up((row[place] for row in found), self._types[name])

    def _one_by_one(self, rows: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        frame = pl.DataFrame(rows, schema=self._schema, orient="row")
        columns = {column.name: column for column in frame}
        values: list[tuple[Any, ...]] = [()] * len(rows)
        for group in self._groups:
            known = frame
            if isinstance(group, DerivedView):
                known = frame.with_columns(
                    columns[name] if name in columns else group.column(name, [row[self._places[name]] for row in found])
                    for name in group.reads
                )
            made = _evaluate(group, known)
            columns |= {column.name: column for column in made}
            values = [(*before, *more) for before, more in zip(values, made.rows(), strict=True)]
        return values

    def _agree(self) -> bool:
        """Whether all groups can read one frame: none reads another type of a column than the others."""
        known: dict[str, pl.DataType] = {**self._types, **self._schema}
        return all(group.types[name] == known[name] for group in self._groups for name in group.reads if name in known)


_Column = tuple[str, Sequence[Any], pl.DataType]


def _levels(groups: Sequence[Computed]) -> list[list[Computed]]:
    """Groups by how many others they stand on."""
    level_of: dict[str, int] = {}
    levels: list[list[Computed]] = []
    for group in groups:
        level = max((level_of[name] + 1 for name in group.reads if name in level_of), default=0)
        level_of |= dict.fromkeys(group.feature_names, level)
        if level == len(levels):
            levels.append([])
        levels[level].append(group)
    return levels


def _frame(columns: Sequence[_Column]) -> pl.DataFrame:
    names, values, types = zip(*columns, strict=True)
    if len(values[0]) <= _FEW:
        rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        return pl.from_dicts(rows, schema=dict(zip(names, types, strict=True)))
    return pl.DataFrame([pl.Series(name, some, dtype) for name, some, dtype in columns])


def _evaluate(group: Computed, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        return group.evaluate(frame)
    except DrivetrainError:
        raise
    except Exception as error:  # whatever Polars raises names a feature, not a traceback
        raise FeatureError(f"features {group.name} can't be computed: {error}") from error
