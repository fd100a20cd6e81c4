"""Days that are missing or to come, clocks that change, zones and dates that are misread."""

from __future__ import annotations

import polars as pl

from drivetrain.testing.damage.kind import (
    Delivery,
    Dice,
    Good,
    changed,
    csv_of,
    everywhere,
    moment,
    of_files,
    of_rows,
    some,
    told,
)

_PARTS = "relation of the columns: parts of the moment"
_TYPE = "type of the column"
_GAP = "longest gap of a delivery"


@of_rows("half of a day is missing", "nothing after noon of one day", where="rows", caught="refused", by=_GAP)
def half(good: Good, _dice: Dice) -> pl.DataFrame:
    """A transfer that broke off, in the middle of the week."""
    day = good.rows["day"].unique(maintain_order=True)[3]
    return good.rows.filter(~((pl.col("day") == day) & (pl.col("hour").cast(pl.Int64) >= 12)))


@of_rows("days are missing", "two days of the week are missing", where="rows", caught="refused", by=_GAP)
def days(good: Good, _dice: Dice) -> pl.DataFrame:
    """Days without a row."""
    gone = good.rows["day"].unique(maintain_order=True)[2:4].to_list()
    return good.rows.filter(~pl.col("day").is_in(gone))


@of_rows(
    "rows from the future", "1 % of the moments are ten years on", where="time_hour", caught="set aside", by=_PARTS
)
def future(good: Good, dice: Dice) -> pl.DataFrame:
    """What has not happened yet."""
    return changed(good.rows, some(good.rows, dice, 0.01), time_hour=told(moment("time_hour").dt.offset_by("10y")))


@of_rows(
    "a delivery from the future",
    "every date is a year on, year and moment alike",
    where="year, time_hour",
    caught="nothing",
    by="all columns agree, and a contract has no calendar of its own; `drivetrain data` shows the newest moment",
)
def year_on(good: Good, _dice: Dice) -> pl.DataFrame:
    """All columns agree, and all are wrong."""
    return everywhere(good.rows, year="2014", time_hour=told(moment("time_hour").dt.offset_by("1y")))


@of_rows(
    "an hour twice",
    "the clock was set back: an hour comes twice with other values",
    of="weather",
    where="time_hour",
    caught="set aside",
    by="key",
)
def hour_twice(good: Good, _dice: Dice) -> pl.DataFrame:
    """Two rows are of one moment."""
    moments = good.rows["time_hour"].unique(maintain_order=True)
    later, earlier = moments[60], moments[59]
    parts = {name: good.rows.filter(time_hour=earlier)[name][0] for name in ("year", "month", "day", "hour")}
    return changed(good.rows, good.rows["time_hour"] == later, time_hour=earlier, **parts)


@of_rows(
    "an hour skipped",
    "from the middle on, moments are an hour late: the clock was set forward on one side only",
    where="time_hour",
    caught="refused",
    by=_PARTS,
)
def hour_skipped(good: Good, _dice: Dice) -> pl.DataFrame:
    """Half of the week is an hour off."""
    middle = good.rows["time_hour"].sort()[good.rows.height // 3]
    return changed(
        good.rows, good.rows["time_hour"] > middle, time_hour=told(moment("time_hour") + pl.duration(hours=1))
    )


@of_rows("a zone dropped", "moments are local and say no zone", where="time_hour", caught="refused", by=_PARTS)
def local(good: Good, _dice: Dice) -> pl.DataFrame:
    """Taken for UTC, hours too early."""
    written = (moment("time_hour") - pl.duration(hours=4)).dt.strftime("%Y-%m-%d %H:%M:%S")
    return everywhere(good.rows, time_hour=written)


@of_rows("a zone shifted", "moments are nine hours late", of="weather", where="time_hour", caught="refused", by=_PARTS)
def shifted(good: Good, _dice: Dice) -> pl.DataFrame:
    """The clock of another country."""
    return everywhere(good.rows, time_hour=told(moment("time_hour") + pl.duration(hours=9)))


@of_rows(
    "another spelling of moments",
    "moments are local and say so: 2013-07-01T06:00:00-04:00",
    where="time_hour",
    caught="undone",
    by=_TYPE,
)
def offset(good: Good, _dice: Dice) -> pl.DataFrame:
    """The same moments."""
    written = (moment("time_hour") - pl.duration(hours=4)).dt.strftime("%Y-%m-%dT%H:%M:%S") + "-04:00"
    return everywhere(good.rows, time_hour=written)


@of_rows("day and month swapped", "2013-07-08 becomes 2013-08-07", where="time_hour", caught="refused", by=_PARTS)
def american(good: Good, _dice: Dice) -> pl.DataFrame:
    """Where both readings are dates, nothing else shows it."""
    return everywhere(good.rows, time_hour=pl.col("time_hour").str.replace(r"-(\d\d)-(\d\d)T", "-$2-${1}T"))


@of_rows("two-digit years", "2013-07-01 becomes 13-07-01", where="time_hour", caught="refused", by=_TYPE)
def short(good: Good, _dice: Dice) -> pl.DataFrame:
    """The century is left out."""
    return everywhere(good.rows, time_hour=pl.col("time_hour").str.slice(2))


@of_rows("epoch seconds", "moments are seconds since 1970", where="time_hour", caught="refused", by=_TYPE)
def seconds(good: Good, _dice: Dice) -> pl.DataFrame:
    """Numbers for moments, in whatever unit."""
    return everywhere(good.rows, time_hour=moment("time_hour").dt.epoch("s"))


@of_rows(
    "a date that stands for none", "1 % of the moments are 1900-01-01", where="time_hour", caught="set aside", by=_PARTS
)
def sentinel(good: Good, dice: Dice) -> pl.DataFrame:
    """What a database writes for nothing."""
    return changed(good.rows, some(good.rows, dice, 0.01), time_hour="1900-01-01T00:00:00Z")


@of_rows(
    "calendar parts of another zone",
    "the hours are those of UTC",
    of="weather",
    where="hour",
    caught="refused",
    by=_PARTS,
)
def parts(good: Good, _dice: Dice) -> pl.DataFrame:
    """The moments are right, and what is said of them is not."""
    return everywhere(good.rows, hour=moment("time_hour").dt.hour())


@of_files(
    "a stale delivery",
    "the week before comes once more under the new name, and nothing else",
    where="the file",
    caught="counted",
    by="rows that are there; freshness, once it has gone on long enough",
)
def stale(good: Good, _dice: Dice) -> Delivery:
    """The job ran, and what it read had not moved."""
    return Delivery({f"{good.name}.csv": csv_of(good.before)}, good.before.height)


@of_rows(
    "keys used again",
    "rows of this week carry the moments of last week's",
    of="weather",
    where="year, month, day, time_hour",
    caught="counted",
    by="rows that take the place of others",
)
def reused(good: Good, _dice: Dice) -> pl.DataFrame:
    """New contents overwrite old ones."""
    height = min(good.rows.height, good.before.height)
    names = ("origin", "year", "month", "day", "hour", "time_hour")
    return good.rows[:height].with_columns(good.before[:height][name] for name in names)
