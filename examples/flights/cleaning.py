"""Raw rows to clean ones: local clock times become UTC, and each flight gets the moment it was known to have ended.

The source gives times as ``hhmm`` on the local clock: of New York for departures, of the destination for arrivals.
An arrival at an earlier clock time than the departure, both seen from the destination, is on the next day.
"""

from __future__ import annotations

import polars as pl

UNSCHEDULED = ("year", "month", "day", "hour", "minute", "time_hour", "sched_dep_time", "sched_arr_time")
"""Columns whose meaning has gone into ``flight_id``, ``sched_dep`` and ``sched_arr``."""


def flights(rows: pl.DataFrame, airports: pl.DataFrame) -> pl.DataFrame:
    """One row per flight with its times in UTC.

    Adds ``flight_id``, ``sched_dep``, ``sched_arr``, ``departed_at`` (null if it never left) and ``landed_at``. What
    became of a flight that was cancelled or diverted is known at its scheduled arrival, or when it left if that was
    later; its ``arr_delay`` stays null, and nobody guesses it.

    Args:
        rows: Flights as the source has them.
        airports: ``faa`` and ``tzone`` of the destinations; an unknown one leaves ``sched_arr`` null.
    """
    zones = airports.select(dest="faa", zone="tzone")
    scheduled = _scheduled_arrivals(
        rows.join(zones, on="dest", how="left", maintain_order="left").with_columns(
            sched_dep=moment(pl.col("time_hour")) + pl.duration(minutes="minute")
        )
    )
    departed = pl.col("sched_dep") + pl.duration(minutes="dep_delay")
    landed = pl.col("sched_arr") + pl.duration(minutes="arr_delay")
    return scheduled.with_columns(
        flight_id=flight_id(),
        departed_at=departed,
        landed_at=landed.fill_null(pl.max_horizontal("sched_arr", departed)),
    ).drop("zone", *UNSCHEDULED)


def departures(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per flight that has left: ``flight_id``, ``sched_dep`` and ``departed_at`` in UTC, and its delay."""
    scheduled = moment(pl.col("time_hour")) + pl.duration(minutes=pl.col("minute").cast(pl.Int64))
    return rows.with_columns(
        flight_id=flight_id(),
        sched_dep=scheduled,
        departed_at=scheduled + pl.duration(minutes="dep_delay"),
    ).drop("year", "month", "day", "minute", "time_hour")


def flight_id() -> pl.Expr:
    """The name of a flight: local date, carrier, number, origin."""
    month, day = (pl.col(part).cast(pl.String).str.zfill(2) for part in ("month", "day"))
    return pl.format("{}-{}-{}-{}-{}-{}", "year", month, day, "carrier", "flight", "origin")


def weather(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per airport and hour, under ``observed`` in UTC.

    Local hours would name two observations alike when the clocks go back; ``time_hour`` does not. ``month`` stays for
    the contract, as what is plausible depends on the season.
    """
    return rows.with_columns(observed=moment(pl.col("time_hour"))).drop("year", "day", "hour", "time_hour")


def planes(rows: pl.DataFrame) -> pl.DataFrame:
    """Aircraft by registration; ``year`` is the year it was ``built``."""
    return rows.rename({"year": "built"})


def moment(text: pl.Expr) -> pl.Expr:
    """The source's UTC text, such as ``2013-07-01T09:00:00Z``, as a moment."""
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")


def _scheduled_arrivals(rows: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for (zone,), part in rows.with_row_index("place").partition_by("zone", as_dict=True, maintain_order=True).items():
        if zone is None:
            arrival = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
        else:
            left = pl.col("sched_dep").dt.convert_time_zone(zone).dt.replace_time_zone(None)
            clock = pl.duration(hours=pl.col("sched_arr_time") // 100, minutes=pl.col("sched_arr_time") % 100)
            same_day = left.dt.truncate("1d") + clock
            local = pl.when(same_day > left).then(same_day).otherwise(same_day + pl.duration(days=1))
            # An hour that the spring change leaves out names no moment; one that comes twice is taken as the first.
            arrival = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            arrival = arrival.dt.convert_time_zone("UTC")
        parts.append(part.with_columns(sched_arr=arrival))
    return pl.concat(parts).sort("place").drop("place") if parts else rows.with_columns(sched_arr=pl.col("sched_dep"))
