"""Columns that are renamed, lost, new, in another order, or hold each other's values."""

from __future__ import annotations

import polars as pl

from drivetrain.testing.damage.kind import Dice, Good, of_rows, of_text

_THERE = "columns that are there"


@of_rows("a renamed column", "dep_delay is called departure_delay", where="dep_delay", caught="refused", by=_THERE)
def renamed(good: Good, _dice: Dice) -> pl.DataFrame:
    """The same values under another name."""
    return good.rows.rename({"dep_delay": "departure_delay"})


@of_rows("a lost column", "tailnum is missing", where="tailnum", caught="refused", by=_THERE)
def lost(good: Good, _dice: Dice) -> pl.DataFrame:
    """One column fewer."""
    return good.rows.drop("tailnum")


@of_rows("a new column", "there is a column gate", where="the header", caught="counted", by="change of shape")
def new(good: Good, _dice: Dice) -> pl.DataFrame:
    """One column more."""
    return good.rows.with_columns(gate=pl.lit("B12"))


@of_rows(
    "columns in another order", "the columns stand in reverse", where="the header", caught="undone", by="the reader"
)
def reordered(good: Good, _dice: Dice) -> pl.DataFrame:
    """Columns go by their names."""
    return good.rows.select(good.rows.columns[::-1])


@of_rows("names in capitals", "TAILNUM for tailnum, and so on", where="the header", caught="refused", by=_THERE)
def capitals(good: Good, _dice: Dice) -> pl.DataFrame:
    """As some databases export."""
    return good.rows.rename(str.upper)


@of_text(
    "a column twice", "two columns are called origin", where="the header", caught="refused", by="the reader: header"
)
def twice(text: str, _good: Good, _dice: Dice) -> str:
    """Nobody knows which is meant."""
    return text.replace(",dest,", ",origin,", 1)


@of_rows(
    "swapped columns: airports", "origin holds dest, and dest origin", where="origin, dest", caught="refused",
    by="set of values",
)  # fmt: skip
def airports(good: Good, _dice: Dice) -> pl.DataFrame:
    """Each has the other's values."""
    return good.rows.with_columns(origin="dest", dest="origin")


@of_rows(
    "swapped columns: delays",
    "dep_delay holds arr_delay, and arr_delay dep_delay",
    where="dep_delay, arr_delay",
    caught="set aside",
    by="relation of the columns: empty together",
)
def delays(good: Good, _dice: Dice) -> pl.DataFrame:
    """Alike at first sight."""
    return good.rows.with_columns(dep_delay="arr_delay", arr_delay="dep_delay")


@of_rows(
    "swapped columns: temperatures",
    "temp holds dewp, and dewp temp",
    of="weather",
    where="temp, dewp",
    caught="refused",
    by="relation of the columns: order",
)
def temperatures(good: Good, _dice: Dice) -> pl.DataFrame:
    """The dew point is never above the temperature."""
    return good.rows.with_columns(temp="dewp", dewp="temp")
