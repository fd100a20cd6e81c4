"""Values that are of the right type and mean something else."""

from __future__ import annotations

import polars as pl

from drivetrain.testing.damage.kind import Dice, Good, changed, everywhere, number, of_rows, some, whole

_RANGE = "range"
_SET = "set of values"
_DRIFT = "distribution against the version before"
_TOGETHER = "columns that move together"


@of_rows(
    "°C for °F", "temperatures are in degrees Celsius", of="weather", where="temp", caught="refused",
    by="relation of the columns: order",
)  # fmt: skip
def celsius(good: Good, _dice: Dice) -> pl.DataFrame:
    """A sensor with another unit."""
    return everywhere(good.rows, temp=((number("temp") - 32) / 1.8).round(2))


@of_rows(
    "kilometres for miles", "distances are in kilometres", where="distance", caught="refused", by="ratio of two columns"
)
def kilometres(good: Good, _dice: Dice) -> pl.DataFrame:
    """Every flight is 1.6 times as long."""
    return everywhere(good.rows, distance=whole(number("distance") * 1.609344))


@of_rows("seconds for minutes", "times in the air are in seconds", where="air_time", caught="refused", by=_RANGE)
def seconds(good: Good, _dice: Dice) -> pl.DataFrame:
    """Sixty times as much."""
    return everywhere(good.rows, air_time=whole(number("air_time") * 60))


@of_rows(
    "-999 for nothing", "2 % of the temperatures are -999", of="weather", where="temp", caught="set aside", by=_RANGE
)
def minus_999(good: Good, dice: Dice) -> pl.DataFrame:
    """A number that stands for none."""
    return changed(good.rows, some(good.rows, dice, 0.02), temp="-999")


@of_rows("9999 for nothing", "2 % of the delays are 9999", where="arr_delay", caught="set aside", by=_RANGE)
def nines(good: Good, dice: Dice) -> pl.DataFrame:
    """A number that stands for none."""
    return changed(good.rows, some(good.rows, dice, 0.02), arr_delay="9999")


@of_rows(
    "0 for nothing", "empty delays are filled with 0", where="dep_delay, arr_delay", caught="set aside",
    by="relation of the columns: empty together",
)  # fmt: skip
def zeros(good: Good, _dice: Dice) -> pl.DataFrame:
    """A flight that never left was on time."""
    return good.rows.with_columns(pl.col("dep_delay", "arr_delay").fill_null("0"))


@of_rows(
    "a stuck sensor", "the temperature is the same for a week", of="weather", where="temp", caught="refused",
    by="relation of the columns: order; different values of a column",
)  # fmt: skip
def stuck(good: Good, _dice: Dice) -> pl.DataFrame:
    """It still delivers."""
    return everywhere(good.rows, temp=good.rows["temp"].drop_nulls()[0])


@of_rows(
    "more and more nulls", "40 % of the arrivals are empty, delay and air time alike", where="arr_delay, air_time",
    caught="refused", by="share of rows with a value",
)  # fmt: skip
def empty(good: Good, dice: Dice) -> pl.DataFrame:
    """A system behind the source fails."""
    where = pl.lit(some(good.rows, dice, 0.4))
    return good.rows.with_columns(
        pl.when(where).then(None).otherwise(pl.col(name)).alias(name) for name in ("arr_time", "arr_delay", "air_time")
    )


@of_rows("codes in small letters", "carriers are written ua, b6, …", where="carrier", caught="refused", by=_SET)
def small(good: Good, _dice: Dice) -> pl.DataFrame:
    """Another case."""
    return everywhere(good.rows, carrier=pl.col("carrier").str.to_lowercase())


@of_rows(
    "names for codes", "JFK is written Kennedy", where="origin", caught="refused", by="set of values, shares of classes"
)
def names(good: Good, _dice: Dice) -> pl.DataFrame:
    """Another spelling."""
    return everywhere(good.rows, origin=pl.col("origin").replace("JFK", "Kennedy"))


@of_rows("spaces around codes", "carriers are padded to four letters", where="carrier", caught="refused", by=_SET)
def padded(good: Good, _dice: Dice) -> pl.DataFrame:
    """As columns of fixed width are."""
    return everywhere(good.rows, carrier=pl.col("carrier").str.pad_end(4))


@of_rows("an unknown class", "2 % of the carriers are ZZ", where="carrier", caught="set aside", by=_SET)
def unknown(good: Good, dice: Dice) -> pl.DataFrame:
    """Nobody has heard of it."""
    return changed(good.rows, some(good.rows, dice, 0.02), carrier="ZZ")


@of_rows(
    "keys of another table that are not there", "5 % of the destinations are QQQ", where="dest", caught="refused",
    by="rows with known values",
)  # fmt: skip
def foreign(good: Good, dice: Dice) -> pl.DataFrame:
    """An airport that no list has."""
    return changed(good.rows, some(good.rows, dice, 0.05), dest="QQQ")


@of_rows("signs flipped", "early is positive and late negative", where="arr_delay", caught="refused", by=_TOGETHER)
def flipped(good: Good, _dice: Dice) -> pl.DataFrame:
    """The difference was taken the other way round."""
    return everywhere(good.rows, arr_delay=whole(-number("arr_delay")))


@of_rows(
    "outliers", "0.5 % of the delays are a hundred times as long", where="dep_delay", caught="set aside", by=_RANGE
)
def outliers(good: Good, dice: Dice) -> pl.DataFrame:
    """Far from all others; small ones stay small."""
    return changed(good.rows, some(good.rows, dice, 0.005), dep_delay=whole(number("dep_delay") * 100))


@of_rows(
    "a thousand times as much",
    "pressures are in Pascal × 10",
    of="weather",
    where="pressure",
    caught="refused",
    by=_RANGE,
)
def thousand(good: Good, _dice: Dice) -> pl.DataFrame:
    """A prefix was lost."""
    return everywhere(good.rows, pressure=number("pressure") * 1000)


@of_rows(
    "a shuffled column that others tell of",
    "arrival delays are dealt out anew among rows that have one",
    where="arr_delay",
    caught="refused",
    by=_TOGETHER,
)
def shuffled(good: Good, dice: Dice) -> pl.DataFrame:
    """Every figure of the column alone is the same."""
    return _dealt(good.rows, "arr_delay", dice)


@of_rows(
    "a shuffled column that stands alone",
    "directions of the wind are dealt out anew",
    of="weather",
    where="wind_dir",
    caught="nothing",
    by="its values and their shares are the same, and no other column says what they should be row by row",
)
def alone(good: Good, dice: Dice) -> pl.DataFrame:
    """No rule of one row, and no share, is any different."""
    return _dealt(good.rows, "wind_dir", dice)


@of_rows(
    "decimals cut off", "temperatures lose what is behind the point", of="weather", where="temp", caught="refused",
    by="share of values with a fraction",
)  # fmt: skip
def cut(good: Good, _dice: Dice) -> pl.DataFrame:
    """Floats became integers on the way."""
    return everywhere(good.rows, temp=whole(number("temp").floor()))


@of_rows(
    "rounded values",
    "delays are rounded to ten minutes",
    where="dep_delay",
    caught="refused",
    by="different values of a column",
)
def rounded(good: Good, _dice: Dice) -> pl.DataFrame:
    """Somebody meant well."""
    return everywhere(good.rows, dep_delay=whole((number("dep_delay") / 10).round() * 10))


@of_rows(
    "another balance",
    "four of five flights from LaGuardia are left out",
    where="origin",
    caught="refused",
    by="shares of classes",
)
def balance(good: Good, dice: Dice) -> pl.DataFrame:
    """A filter that was not meant to be there."""
    return good.rows.filter((good.rows["origin"] != "LGA") | some(good.rows, dice, 0.2))


@of_rows(
    "ten times the rows",
    "every flight comes ten times under other numbers",
    where="rows",
    caught="refused",
    by="volume",
)
def tenfold(good: Good, _dice: Dice) -> pl.DataFrame:
    """A join that went wrong."""
    more = [everywhere(good.rows, flight=whole(number("flight") % 600 + 600 * turn)) for turn in range(1, 10)]
    return pl.concat([good.rows, *more])


@of_rows("a tenth of the rows", "nine of ten rows are missing", where="rows", caught="refused", by="volume")
def tenth(good: Good, dice: Dice) -> pl.DataFrame:
    """A sample instead of all."""
    return good.rows.filter(some(good.rows, dice, 0.1))


@of_rows(
    "one group only", "only flights from Newark come", where="origin", caught="refused", by="volume, shares of classes"
)
def group(good: Good, _dice: Dice) -> pl.DataFrame:
    """One of three systems delivers."""
    return good.rows.filter(origin="EWR")


@of_rows(
    "values a little off",
    "every time in the air is a minute too long",
    where="air_time",
    caught="nothing",
    by="a minute is within what weeks differ by, and no rule is so tight",
)
def off(good: Good, _dice: Dice) -> pl.DataFrame:
    """A clock that is fast."""
    return everywhere(good.rows, air_time=whole(number("air_time") + 1))


@of_rows(
    "a plausible lie",
    "in 1 % of the rows the registration is that of another aircraft",
    where="tailnum",
    caught="nothing",
    by="it is a registration as good as any; only another source could contradict it",
)
def lie(good: Good, dice: Dice) -> pl.DataFrame:
    """Right in form."""
    return changed(good.rows, some(good.rows, dice, 0.01), tailnum="N14228")


def _dealt(rows: pl.DataFrame, name: str, dice: Dice) -> pl.DataFrame:
    values = rows[name].drop_nulls().to_list()
    dice.shuffle(values)
    places = rows[name].is_not_null().arg_true()
    return rows.with_columns(rows[name].scatter(places, values))
