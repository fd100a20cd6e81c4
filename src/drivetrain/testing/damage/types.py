"""Values of another type than they should be, or written in another way."""

from __future__ import annotations

import polars as pl

from drivetrain.testing.damage.kind import Dice, Good, changed, everywhere, moment, number, of_rows, some

_TYPE = "type of the column"


@of_rows("number as words", "1 % of the delays are written as words", where="arr_delay", caught="set aside", by=_TYPE)
def words(good: Good, dice: Dice) -> pl.DataFrame:
    """Words where numbers should be."""
    return changed(good.rows, some(good.rows, dice, 0.01), arr_delay="about twenty")


@of_rows("text for a number", "every distance is the text 'far'", where="distance", caught="refused", by=_TYPE)
def text(good: Good, _dice: Dice) -> pl.DataFrame:
    """No number at all."""
    return everywhere(good.rows, distance="far")


@of_rows(
    "floats for whole numbers",
    "whole numbers come with a fraction, as after a mean: 1400.5",
    where="distance",
    caught="refused",
    by=_TYPE,
)
def floats(good: Good, _dice: Dice) -> pl.DataFrame:
    """Whole numbers with a fraction."""
    return everywhere(good.rows, distance=number("distance") + 0.5)


@of_rows("thousands separators", "1400 is written 1,400", where="distance", caught="refused", by=_TYPE)
def thousands(good: Good, _dice: Dice) -> pl.DataFrame:
    """Numbers in groups of three digits."""
    return everywhere(good.rows, distance=pl.col("distance").str.replace(r"^(\d+)(\d{3})$", "$1,$2"))


@of_rows("decimal commas", "39.02 is written 39,02", of="weather", where="temp", caught="refused", by=_TYPE)
def commas(good: Good, _dice: Dice) -> pl.DataFrame:
    """Commas for points."""
    return everywhere(good.rows, temp=pl.col("temp").str.replace(".", ",", literal=True))


@of_rows("booleans as words", "0 and other minutes become 'no' and 'yes'", where="minute", caught="refused", by=_TYPE)
def booleans(good: Good, _dice: Dice) -> pl.DataFrame:
    """Yes and no where numbers should be."""
    yes = pl.when(pl.col("minute") == "0").then(pl.lit("no")).otherwise(pl.lit("yes"))
    return everywhere(good.rows, minute=yes)


@of_rows(
    "scientific notation", "numbers from 1000 on are written 1.40E+03", where="distance", caught="refused", by=_TYPE
)
def scientific(good: Good, _dice: Dice) -> pl.DataFrame:
    """As a spreadsheet shows large numbers."""
    written = pl.col("distance").map_elements(lambda text: f"{float(text):.2E}", return_dtype=pl.String)
    long = pl.when(number("distance") >= 1000).then(written).otherwise(pl.col("distance"))
    return everywhere(good.rows, distance=long)


@of_rows(
    "codes taken for numbers",
    "the carrier 9E becomes 9.00E+00",
    where="carrier",
    caught="refused",
    by="set of values, shares of classes",
)
def codes(good: Good, _dice: Dice) -> pl.DataFrame:
    """A spreadsheet took a code for a number."""
    return everywhere(good.rows, carrier=pl.col("carrier").replace("9E", "9.00E+00"))


@of_rows(
    "ids without their first letter",
    "registrations lose their leading N, as ids lose leading zeros",
    where="tailnum",
    caught="refused",
    by="pattern",
)
def prefixes(good: Good, _dice: Dice) -> pl.DataFrame:
    """Ids that lost what they begin with."""
    return everywhere(good.rows, tailnum=pl.col("tailnum").str.strip_prefix("N"))


@of_rows(
    "moments of a spreadsheet", "moments are days since 1900: 41456.4", where="time_hour", caught="refused", by=_TYPE
)
def serials(good: Good, _dice: Dice) -> pl.DataFrame:
    """Serial numbers of days."""
    days = (moment("time_hour") - pl.datetime(1899, 12, 30)).dt.total_hours() / 24
    return everywhere(good.rows, time_hour=days.round(4))


@of_rows("numbers with a unit", "distances are written '1400 mi'", where="distance", caught="refused", by=_TYPE)
def units(good: Good, _dice: Dice) -> pl.DataFrame:
    """A unit behind each number."""
    return everywhere(good.rows, distance=pl.col("distance") + " mi")


@of_rows(
    "nulls as text",
    "empty fields are written NA, null or -",
    where="dep_time",
    caught="set aside",
    by=_TYPE,
)
def nulls(good: Good, dice: Dice) -> pl.DataFrame:
    """Words for nothing."""
    drawn = pl.Series([dice.choice(("NA", "null", "-")) for _ in range(good.rows.height)])
    return good.rows.with_columns(pl.col("dep_time").fill_null(drawn))
