"""Rows that say that a row is gone from where it came."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from drivetrain.core.errors import SourceError
from drivetrain.store.tables import Tables


def buried(frame: pl.DataFrame, column: str, key: Sequence[str], origin: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Parts a batch into rows that are there and keys that were deleted.

    What a key was before its last tombstone is gone with it; a row that comes after it is a new one.

    Args:
        frame: Rows in the order in which they came.
        column: The tombstone: true, or anything but null or false.
        key: The key.
        origin: Where they come from, for messages.

    Returns:
        The rows without tombstones and without what they bury; and every key that has a tombstone, once. A tombstone
        without a whole key stays among the rows, for the contract to refuse.

    Raises:
        SourceError: There is no such column.
    """
    if column not in frame.columns:
        raise SourceError(f"{origin} lacks the column {column!r}, which says what was deleted")
    value = pl.col(column)
    dead = (value.is_not_null() if frame.schema[column] != pl.Boolean else value.fill_null(value=False)) & (
        pl.all_horizontal(pl.col(name).is_not_null() for name in key)
    )
    numbered = frame.with_row_index("_place").with_columns(_dead=dead)
    graves = numbered.filter("_dead").group_by(key, maintain_order=True).agg(pl.col("_place").max().alias("_grave"))
    if not graves.height:
        return frame, graves.drop("_grave")
    left = numbered.join(graves, on=list(key), how="left", maintain_order="left", nulls_equal=False)
    alive = left.filter(~pl.col("_dead") & (pl.col("_grave").is_null() | (pl.col("_place") > pl.col("_grave"))))
    return alive.select(frame.columns), graves.drop("_grave")


def there(gone: pl.DataFrame, rows: pl.DataFrame, tables: Tables, name: str) -> pl.DataFrame:
    """The keys to take out of a table: those that it has and that no row of the batch gives anew."""
    if not gone.height:
        return gone
    key = gone.columns
    left = gone.join(rows.select(key), on=key, how="anti") if rows.height else gone
    return tables.scan(name).select(key).join(left.lazy(), on=key, how="semi").collect()
