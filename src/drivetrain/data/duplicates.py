"""Rows that share a key, within a batch and with what a table holds."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from drivetrain.data.breach import Breach
from drivetrain.store.tables import Tables

_LATER = "only one row with this key in a batch; a later one took its place"


def repeated(frame: pl.DataFrame, key: Sequence[str]) -> tuple[pl.DataFrame, int, tuple[pl.DataFrame, Breach] | None]:
    """One row per key: the last.

    An equal row before it says nothing new and is left out. A different one contradicts it: it is set aside, as the
    one ingested last wins and nothing is dropped silently.

    Returns:
        The rows that stay; how many equal ones were left out; the contradicted rows with their breach, if any.
    """
    if _all_differ(frame, key):
        return frame, 0, None
    shared = frame.select(key).is_duplicated()
    numbered = frame.with_row_index("_place")
    kept = numbered.unique(subset=list(key), keep="last", maintain_order=True)
    gone = numbered.filter(shared).join(kept, on="_place", how="anti")
    same = _same(gone, kept, key)
    different = gone.filter(~same).drop("_place")
    contradicted = None
    if different.height:
        found = different.select(pl.struct(key)).to_series() if len(key) > 1 else different[key[0]]
        everywhere = pl.Series([True]).new_from_index(0, different.height)
        contradicted = (different, Breach("key " + ", ".join(key), _LATER, everywhere, found, hard=True))
    return kept.drop("_place"), int(same.sum()), contradicted


def _all_differ(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether no two rows share a key, told at a third of the cost of finding which do."""
    if len(key) == 1 and frame.schema[key[0]].is_integer():
        return frame[key[0]].n_unique() == frame.height
    # Equal keys hash alike: as many hashes as rows, as many keys.
    return frame.select(pl.struct(key).hash()).to_series().n_unique() == frame.height


def changed(frame: pl.DataFrame, tables: Tables, name: str, key: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """The rows that a table lacks or holds otherwise.

    Args:
        frame: Rows with unique keys.
        tables: Where the table is.
        name: The table; it must exist.
        key: Its key.

    Returns:
        The rows that are new or different, in their order; and how many of them have a key that the table knows.
    """
    if not frame.height:
        return frame, 0
    bounds = frame.select(
        *(pl.col(column).min().alias(f"low {column}") for column in key),
        *(pl.col(column).max().alias(f"high {column}") for column in key),
    ).row(0, named=True)
    # Rows with these keys lie between the least and the greatest: files wholly outside need not be read.
    near = tables.scan(name)
    fresh = [
        pl.lit(None, dtype=frame.schema[column]).alias(column)
        for column in frame.columns
        if column not in near.collect_schema()
    ]
    near = near.with_columns(fresh).select(frame.columns)
    for column in key:
        low, high = (pl.lit(bounds[f"{end} {column}"], dtype=frame.schema[column]) for end in ("low", "high"))
        near = near.filter(pl.col(column).is_between(low, high))
    there = near.join(frame.lazy().select(key), on=list(key), how="semi").collect()
    if not there.height:
        return frame, 0
    same = _same(frame, there, key)
    updates = frame.select(key).join(there.select(key), on=list(key), how="semi").height - int(same.sum())
    return frame.filter(~same), updates


def _same(frame: pl.DataFrame, other: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """For each row, whether ``other`` has the row of its key with equal values; nulls equal nulls."""
    content = [name for name in frame.columns if name not in key and name != "_place"]
    joined = frame.join(
        other.select(
            *key, *(pl.col(name).alias(f"_other {name}") for name in content), pl.lit(value=True).alias("_there")
        ),
        on=list(key),
        how="left",
        maintain_order="left",
    )
    equal = [pl.col(name).eq_missing(pl.col(f"_other {name}")) for name in content]
    return joined.select(same=pl.all_horizontal(pl.col("_there").fill_null(value=False), *equal)).to_series()
