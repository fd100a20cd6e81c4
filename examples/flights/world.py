"""The world outside: what the airline's other systems deliver as 2013 goes by, and what passengers ask.

Everything comes from the archive in ``data/`` and from the moments asked for, so that a call repeated does the same.
A departure is reported when the flight has left. A flight's row arrives when it has landed, or at its scheduled arrival
if it was cancelled or diverted. An observation of the weather arrives an hour after the hour that it is named by.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cleaning
import polars as pl

from drivetrain.core.clock import DAY, HOUR, Micros, datetime_of

ARCHIVE = Path(__file__).parent / "data"
NOTICE_AHEAD: Micros = 2 * HOUR
"""How long before its scheduled departure a passenger asks about a flight."""

# The source's list lacks the four airports of Puerto Rico and the Virgin Islands that are flown to.
CARIBBEAN = pl.DataFrame(
    [
        ("BQN", "Rafael Hernandez", 18.4949, -67.1294, 237, -4, "N", "America/Puerto_Rico"),
        ("PSE", "Mercedita", 18.0083, -66.5630, 29, -4, "N", "America/Puerto_Rico"),
        ("SJU", "Luis Munoz Marin Intl", 18.4394, -66.0018, 9, -4, "N", "America/Puerto_Rico"),
        ("STT", "Cyril E King", 18.3373, -64.9734, 23, -4, "N", "America/St_Thomas"),
    ],
    schema=["faa", "name", "lat", "lon", "alt", "tz", "dst", "tzone"],
    orient="row",
)

DEPARTURE = (
    *("year", "month", "day", "dep_time", "dep_delay", "carrier", "flight", "tailnum", "origin", "dest"),
    *("minute", "time_hour"),
)
"""What is reported of a flight when it leaves."""

_OBSERVATIONS = (
    "origin TEXT, year INT, month INT, day INT, hour INT, temp REAL, dewp REAL, humid REAL, wind_dir INT, "
    "wind_speed REAL, wind_gust REAL, precip REAL, pressure REAL, visib REAL, time_hour TEXT"
)


@dataclass(frozen=True)
class Archive:
    """A year in memory; flights sorted by the moment they are known, observations likewise."""

    flights: pl.DataFrame
    """As the source has them."""
    known: pl.Series
    """When each flight's row arrives, microseconds, rising."""
    departures: pl.DataFrame
    """Flights that left, with what is known of them then; sorted by the moment they did."""
    departed: pl.Series
    """When each left, microseconds, rising."""
    weather: pl.DataFrame
    observed: pl.Series
    """When each observation arrives, microseconds, rising."""
    requests: pl.DataFrame
    """What is asked, by the moment ``at`` it is asked, rising."""


def lay_out(raw: Path, until: Micros) -> None:
    """Writes everything that has arrived before a moment, as a company would have it.

    Args:
        raw: Folder to write to: ``flights/2013-01.parquet`` and so on, ``departures/2013-01.csv`` and so on,
            ``weather.db``, ``planes.jsonl``, ``airports/*.csv`` and ``airlines.csv``.
        until: The moment; what arrives at it, or later, is left out.
    """
    for folder in (raw / "flights", raw / "departures", raw / "airports"):
        folder.mkdir(parents=True, exist_ok=True)
    archive = _archive()
    arrived = archive.flights.head(_place(archive.known, until))
    # Rows of a monthly file stand in the order of the source, not of landing.
    for (month,), rows in arrived.sort("place").drop("place").partition_by("month", as_dict=True).items():
        _write(raw / "flights" / f"2013-{month:02}.parquet", rows)
    left = archive.departures.head(_place(archive.departed, until))
    for (month,), rows in left.partition_by("month", as_dict=True, maintain_order=True).items():
        _write(raw / "departures" / f"2013-{month:02}.csv", rows)
    (raw / "weather.db").unlink(missing_ok=True)
    _insert(raw / "weather.db", archive.weather.head(_place(archive.observed, until)))
    pl.read_parquet(ARCHIVE / "planes.parquet").write_ndjson(raw / "planes.jsonl")
    pl.read_parquet(ARCHIVE / "airlines.parquet").write_csv(raw / "airlines.csv")
    pl.read_parquet(ARCHIVE / "airports.parquet").write_csv(raw / "airports" / "airports.csv")
    CARIBBEAN.write_csv(raw / "airports" / "caribbean.csv")


def deliver(raw: Path, since: Micros, until: Micros) -> None:
    """Adds what arrives in ``[since, until)``: a file of flights, one of departures, rows of weather.

    Repeating it changes nothing.
    """
    archive = _archive()
    start, end = _place(archive.known, since), _place(archive.known, until)
    if end > start:
        rows = archive.flights.slice(start, end - start).sort("place").drop("place")
        _write(raw / "flights" / f"{_name(since)}.parquet", rows)
    start, end = _place(archive.departed, since), _place(archive.departed, until)
    if end > start:
        _write(raw / "departures" / f"{_name(since)}.csv", archive.departures.slice(start, end - start))
    start, end = _place(archive.observed, since), _place(archive.observed, until)
    _insert(raw / "weather.db", archive.weather.slice(start, end - start))


def requests(since: Micros, until: Micros) -> pl.DataFrame:
    """What is asked in ``[since, until)``: flights whose scheduled departure is two hours on.

    Returns:
        One row per flight in the order of ``at``: ``at``, ``flight_id``, ``carrier``, ``flight``, ``tailnum``,
        ``origin``, ``dest``, ``sched_dep``, ``sched_arr``, ``distance``; nothing that is known only later.
    """
    asked = _archive().requests
    at = asked["at"].to_physical()
    start, end = _place(at, since), _place(at, until)
    return asked.slice(start, end - start)


@cache
def _archive() -> Archive:
    flights = pl.read_parquet(ARCHIVE / "flights.parquet")
    airports = pl.concat([pl.read_parquet(ARCHIVE / "airports.parquet").cast(CARIBBEAN.schema), CARIBBEAN])
    timed = cleaning.flights(flights, airports)
    known = flights.with_row_index("place").with_columns(known=timed["landed_at"].to_physical()).sort("known", "place")
    weather = pl.read_parquet(ARCHIVE / "weather.parquet")
    arrives = cleaning.moment(pl.col("time_hour")).to_physical() + HOUR
    observed = weather.with_columns(known=arrives).sort("known", "origin")
    asked = timed.select(
        (pl.col("sched_dep") - pl.duration(microseconds=NOTICE_AHEAD)).alias("at"),
        *("flight_id", "carrier", pl.col("flight").cast(pl.Int64), "tailnum", "origin", "dest"),
        *("sched_dep", "sched_arr", pl.col("distance").cast(pl.Int64)),
    )
    left = (
        flights.select(DEPARTURE)
        .with_columns(departed=timed["departed_at"].to_physical(), key=timed["flight_id"])
        .filter(pl.col("departed").is_not_null())
        .sort("departed", "key")
    )
    return Archive(
        departures=left.drop("departed", "key"),
        departed=left["departed"],
        flights=known.drop("known"),
        known=known["known"],
        weather=observed.drop("known"),
        observed=observed["known"],
        requests=asked.sort("at", "flight_id"),
    )


def _place(moments: pl.Series, moment: Micros) -> int:
    """How many are before the moment."""
    return int(moments.search_sorted(moment, side="left"))


def _name(since: Micros) -> str:
    return datetime_of(since).strftime("%Y-%m-%d" if since % DAY == 0 else "%Y-%m-%dT%H%M")


def _write(path: Path, rows: pl.DataFrame) -> None:
    """Puts a whole file in place at once: nobody ever reads half of one."""
    made = path.with_name(f".{path.name}.part")
    if path.suffix == ".csv":
        rows.write_csv(made)
    else:
        rows.write_parquet(made)
    made.replace(path)


def _insert(path: Path, rows: pl.DataFrame) -> None:
    database = sqlite3.connect(path)
    try:
        with database:
            database.execute(f"CREATE TABLE IF NOT EXISTS weather ({_OBSERVATIONS}, PRIMARY KEY (origin, time_hour))")
            marks = ", ".join("?" * rows.width)
            database.executemany(f"INSERT OR REPLACE INTO weather VALUES ({marks})", rows.iter_rows())
    finally:
        database.close()
