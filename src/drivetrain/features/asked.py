"""Requests of a view: which entity, at which moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.errors import FeatureError
from drivetrain.features.events import parts_of
from drivetrain.features.exact import Places
from drivetrain.features.timeline import Axis


@dataclass(frozen=True, eq=False)
class Asked:
    """Requests of a view, in the order of entity and moment.

    Attributes:
        row: Row of each request in the frame it came from; requests with a null in their key are not among them.
        entity: Entity of each, from 0 on.
        moment: Moments, microseconds.
        keys: The entities' keys, by entity.
        rows: How many rows the frame has.
    """

    row: Places
    entity: Places
    moment: Places
    keys: pl.DataFrame
    rows: int

    @classmethod
    def of(cls, keys: pl.DataFrame, moment: Places) -> Asked:
        """Sorts requests with these keys at these moments (microseconds)."""
        complete = ~keys.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()
        row = np.flatnonzero(complete)
        entities = _different(keys.drop_nulls())
        entity = entity_of(keys, entities)[row]
        asked = moment[row]
        order = np.argsort(Axis.over(asked, len(entities)).of_events(entity, asked))
        row = row[order]
        return cls(row, entity[order], moment[row], entities, len(keys))


def entity_of(keys: pl.DataFrame, entities: pl.DataFrame) -> Places:
    """Number of each row's entity, -1 where it is none of them.

    Raises:
        FeatureError: The keys are of another type than the entities'.
    """
    if not len(entities) or not len(keys):
        return np.full(len(keys), -1, dtype=np.int64)
    for name in entities.columns:
        if keys[name].dtype != entities[name].dtype:
            raise FeatureError(
                f"key {name!r} has one type in the table and another in the request",
                found=f"{keys[name].dtype} and {entities[name].dtype}",
                do="Cast one of them where the source is prepared",
            )
    if entities.width == 1 and entities.dtypes[0] == pl.Int64:
        numbered = _by_table(keys.to_series(), entities.to_series())
        if numbered is not None:
            return numbered
    if entities.width == 1 and entities.dtypes[0] == pl.String:
        codes = keys.to_series().cast(pl.Enum(entities.to_series()), strict=False).to_physical()
    else:
        places = entities.with_row_index("\0entity")
        codes = keys.join(places, on=entities.columns, how="left", maintain_order="left").get_column("\0entity")
    return codes.cast(pl.Int64).fill_null(-1).to_numpy(writable=True)


def _different(keys: pl.DataFrame) -> pl.DataFrame:
    """Each key once, in the order they come; what a frame does for any columns, a series does in a fraction of it."""
    if keys.width == 1:
        return keys.to_series().unique(maintain_order=True).to_frame()
    return keys.unique(maintain_order=True)


def _by_table(keys: pl.Series, entities: pl.Series) -> Places | None:
    """Numbers of integer keys from a table of all integers between them; none where that would be large."""
    known = entities.to_numpy()
    first, last = int(known.min()), int(known.max())
    if last - first > 4 * (len(keys) + len(entities)):
        return None
    table = np.full(last - first + 3, -1, dtype=np.int32)
    table[known - first + 1] = np.arange(len(known))
    numbers = np.empty(len(keys), dtype=np.int64)
    for place, part in parts_of(keys):
        # Everything outside lands on one of the table's ends, which are nobody's.
        asked = np.clip((part.fill_null(first - 1) if part.null_count() else part).to_numpy(), first - 1, last + 1)
        numbers[place] = table[asked - (first - 1)]
    return numbers
