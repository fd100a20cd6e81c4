"""The flights example's data: times that agree with the source's own, a world that repeats itself, real bad values."""

from __future__ import annotations

import sqlite3
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.progress import Silent
from drivetrain.core.settings import StoreSettings
from drivetrain.data import quarantine
from drivetrain.data.ingest import ingest, pending
from drivetrain.data.readers.files import files
from drivetrain.data.readers.sql import sql
from drivetrain.data.source import Source
from drivetrain.store.bundle import open_store

EXAMPLE = Path(__file__).parents[2] / "examples" / "flights"
sys.path.insert(0, str(EXAMPLE))

import cleaning  # noqa: E402
import world  # noqa: E402

import contracts  # noqa: E402

JULY = micros_of("2013-07-01")
AFTER = micros_of("2014-02-01")


@pytest.fixture(scope="module")
def raw_flights():
    return pl.read_parquet(EXAMPLE / "data" / "flights.parquet")


@pytest.fixture(scope="module")
def airports():
    listed = pl.read_parquet(EXAMPLE / "data" / "airports.parquet").cast(world.CARIBBEAN.schema)
    return pl.concat([listed, world.CARIBBEAN])


@pytest.fixture(scope="module")
def cleaned(raw_flights, airports):
    return cleaning.flights(raw_flights, airports)


def sources():
    airports = Source(name="airports", reader=files("raw/airports/*.csv"), key=("faa",), contract=contracts.AIRPORTS)
    made = (
        airports,
        Source(name="airlines", reader=files("raw/airlines.csv"), key=("carrier",), contract=contracts.AIRLINES),
        Source(
            name="planes",
            reader=files("raw/planes.jsonl"),
            key=("tailnum",),
            contract=contracts.PLANES,
            prepare=cleaning.planes,
        ),
        Source(
            name="weather",
            reader=sql("sqlite:///raw/weather.db", table="weather", cursor="time_hour"),
            key=("origin", "observed"),
            time="observed",
            delay=HOUR,
            contract=contracts.WEATHER,
            prepare=cleaning.weather,
        ),
        Source(
            name="flights",
            reader=files("raw/flights/*.parquet"),
            key=("flight_id",),
            time="sched_dep",
            available="landed_at",
            contract=contracts.FLIGHTS,
            prepare=cleaning.flights,
            uses=(airports,),
        ),
    )
    return {source.name: source for source in made}


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The whole year taken in: (store, folder)."""
    folder = tmp_path_factory.mktemp("flights")
    world.lay_out(folder / "raw", AFTER)
    store = open_store(StoreSettings(), folder)
    known = sources()
    for source in known.values():
        ingest(store, source, folder=folder, now=AFTER, progress=Silent(), sources=known)
    yield store, folder
    store.close()


def test_the_archive_is_whole_and_small(raw_flights):
    assert raw_flights.height == 336_776
    assert pl.read_parquet(EXAMPLE / "data" / "weather.parquet").height == 26_115
    assert sum(path.stat().st_size for path in (EXAMPLE / "data").glob("*.parquet")) < 6_000_000
    assert (
        raw_flights.select(pl.struct("year", "month", "day", "carrier", "flight", "origin").n_unique()).item()
        == 336_776
    )
    assert "CC0" in (EXAMPLE / "NOTICE").read_text()


def test_landings_agree_with_time_in_the_air(cleaned):
    """What is left of departure to landing without the air time is taxiing: minutes, never negative."""
    taxi = cleaned.drop_nulls("air_time").select(
        (pl.col("landed_at") - pl.col("departed_at")).dt.total_minutes() - pl.col("air_time")
    )
    minutes = taxi.to_series()
    assert len(minutes) == 327_346
    assert minutes.min() >= 5
    assert minutes.is_between(5, 60).mean() > 0.959
    assert minutes.median() == 28
    assert (minutes > 180).sum() == 5


def test_landings_agree_with_the_clock_at_the_destination(raw_flights, cleaned, airports):
    """``arr_time`` was not used to compute ``landed_at``: both must show the same local clock time."""
    zones = airports.select(dest="faa", zone="tzone")
    rows = cleaned.filter(pl.col("arr_delay").is_not_null()).join(zones, on="dest")
    wrong = []
    for (zone,), part in rows.partition_by("zone", as_dict=True).items():
        local = pl.col("landed_at").dt.convert_time_zone(zone)
        clock = local.dt.hour().cast(pl.Int64) * 100 + local.dt.minute().cast(pl.Int64)
        wrong.append(part.filter(clock != pl.col("arr_time") % 2400).select("flight_id"))
    # The one that differs landed in the night of 10 March after the clocks had gone forward; the source had not.
    assert pl.concat(wrong)["flight_id"].to_list() == ["2013-03-09-B6-35-JFK"]


def test_departures_agree_with_the_clock_in_new_york(cleaned):
    local = pl.col("departed_at").dt.convert_time_zone("America/New_York")
    clock = local.dt.hour().cast(pl.Int64) * 100 + local.dt.minute().cast(pl.Int64)
    left = cleaned.drop_nulls("departed_at")
    assert left.filter(clock != pl.col("dep_time") % 2400).height == 0


@pytest.mark.parametrize(
    ("flight", "departs", "arrives"),
    [
        ("2013-01-01-UA-1545-EWR", "2013-01-01T10:15Z", "2013-01-01T14:19Z"),  # Houston: an hour behind
        ("2013-01-01-HA-51-JFK", "2013-01-01T14:00Z", "2013-01-02T01:30Z"),  # Honolulu: same day there, no summer time
        ("2013-07-01-HA-51-JFK", "2013-07-01T14:00Z", "2013-07-02T00:30Z"),
        ("2013-01-01-B6-727-JFK", "2013-01-02T04:59Z", "2013-01-02T08:37Z"),  # San Juan: after midnight
    ],
)
def test_scheduled_times_are_right_across_zones(cleaned, raw_flights, flight, departs, arrives):
    row = cleaned.filter(pl.col("flight_id") == flight)
    if row.is_empty():
        pytest.fail(f"no flight {flight}")
    assert micros_of(row["sched_dep"].item()) == micros_of(departs)
    assert micros_of(row["sched_arr"].item()) == micros_of(arrives)


def test_flights_without_an_outcome_are_known_at_their_scheduled_arrival_at_the_earliest(cleaned):
    nothing = cleaned.filter(pl.col("arr_delay").is_null())
    assert nothing.height == 9_430
    assert nothing["landed_at"].null_count() == 0
    assert nothing.filter(pl.col("landed_at") < pl.col("sched_arr")).is_empty()
    diverted = nothing.drop_nulls("departed_at")
    assert diverted.height == 1_175
    assert diverted.filter(pl.col("landed_at") < pl.col("departed_at")).is_empty()


def test_an_unknown_destination_has_no_arrival(raw_flights, airports):
    rows = cleaning.flights(raw_flights.head(50), airports.filter(pl.col("faa") != "IAH"))
    unknown = rows.filter(pl.col("dest") == "IAH")
    assert unknown.height
    assert unknown["sched_arr"].null_count() == unknown.height
    assert rows.filter(pl.col("dest") != "IAH")["sched_arr"].null_count() == 0
    assert rows.height == 50


def test_no_rows_are_no_rows(raw_flights, airports):
    assert cleaning.flights(raw_flights.clear(), airports).is_empty()


def test_what_was_laid_out_had_arrived(tmp_path):
    world.lay_out(tmp_path, JULY)
    flights = pl.read_parquet(tmp_path / "flights" / "*.parquet", include_file_paths="file")
    assert sorted({Path(name).name for name in flights["file"]}) == [
        f"2013-{month:02}.parquet" for month in range(1, 7)
    ]
    # Fifteen flights of the evening of 30 June, which is 1 July in UTC already, are still in the air or at the gate.
    june = flights.filter((pl.col("month") == 6) & (pl.col("day") == 30)).height
    database = sqlite3.connect(tmp_path / "weather.db")
    last = database.execute("SELECT max(time_hour) FROM weather").fetchone()[0]
    database.close()
    assert last == "2013-06-30T22:00:00Z"
    whole = pl.read_parquet(EXAMPLE / "data" / "flights.parquet")
    assert 0 < june < whole.filter((pl.col("month") == 6) & (pl.col("day") == 30)).height


def test_laid_out_and_delivered_day_by_day_is_everything_once(tmp_path):
    since = micros_of("2013-11-01")
    world.lay_out(tmp_path, since)
    at = since
    while at < AFTER:
        world.deliver(tmp_path, at, at + 7 * DAY)
        at += 7 * DAY
    flights = pl.read_parquet(tmp_path / "flights" / "*.parquet")
    whole = pl.read_parquet(EXAMPLE / "data" / "flights.parquet")
    order = ["time_hour", "carrier", "flight", "origin"]
    assert flights.sort(order).equals(whole.sort(order))
    database = sqlite3.connect(tmp_path / "weather.db")
    assert database.execute("SELECT count(*) FROM weather").fetchone() == (26_115,)
    database.close()


def test_a_delivery_repeated_changes_nothing(tmp_path):
    world.lay_out(tmp_path, JULY)
    world.deliver(tmp_path, JULY, JULY + DAY)
    path = tmp_path / "flights" / "2013-07-01.parquet"
    first = path.read_bytes()
    world.deliver(tmp_path, JULY, JULY + DAY)
    assert path.read_bytes() == first
    world.deliver(tmp_path, JULY + 6 * HOUR, JULY + 7 * HOUR)
    assert (tmp_path / "flights" / "2013-07-01T0600.parquet").is_file()


def test_requests_say_nothing_that_is_only_known_later():
    asked = world.requests(JULY, JULY + DAY)
    assert asked.columns == [
        *("at", "flight_id", "carrier", "flight", "tailnum", "origin", "dest"),
        *("sched_dep", "sched_arr", "distance"),
    ]
    assert asked["at"].is_sorted()
    assert ((asked["sched_dep"] - asked["at"]).dt.total_hours() == 2).all()
    assert micros_of(asked["at"].min()) >= JULY
    assert micros_of(asked["at"].max()) < JULY + DAY
    apart = pl.concat([world.requests(JULY + hour * HOUR, JULY + (hour + 1) * HOUR) for hour in range(24)])
    assert apart.equals(asked)


def test_real_bad_values_are_caught_and_good_ones_kept(year):
    store, _ = year
    assert {name: quarantine.summary(store.tables, name) for name in sources()} == {
        "airports": {
            "tzone: expected text like ^(America|Pacific)/": 2,
            "lat: expected at most 71.5": 1,
        },
        "airlines": {},
        "planes": {"a 737-300 or later built before the first one flew in 1984": 1},
        "weather": {
            "frost in New York between May and September; degrees Celsius?": 1,
            "wind_speed: expected at most 120": 1,
        },
        "flights": {
            "faster over the ground than 620 miles an hour": 4,
            "tailnum: expected text like ^N[0-9A-Z]{1,5}$": 4,
        },
    }
    assert store.tables.rows("flights") == 336_768
    assert store.tables.rows("weather") == 26_113


def test_the_table_says_when_each_flight_was_known(year):
    store, _ = year
    flights = store.tables.read("flights")
    assert flights["flight_id"].n_unique() == flights.height
    assert (flights["_event_time"] == flights["sched_dep"]).all()
    assert (flights["_available_at"] == flights["landed_at"]).all()
    weather = store.tables.read("weather")
    assert ((weather["_available_at"] - weather["observed"]).dt.total_hours() == 1).all()
    assert weather.filter(
        pl.col("observed").is_duplicated() & pl.struct("origin", "observed").is_duplicated()
    ).is_empty()


def test_nothing_is_pending_and_a_second_run_changes_nothing(year):
    store, folder = year
    known = sources()
    for name, source in known.items():
        version = store.tables.version(name)
        assert pending(store, source, folder) is None
        ingest(store, source, folder=folder, now=AFTER, progress=Silent(), sources=known)
        assert store.tables.version(name) == version


def test_the_world_keeps_up_with_the_replay(tmp_path):
    world.lay_out(tmp_path, JULY)
    world.deliver(tmp_path, JULY, JULY + DAY)
    used = time.process_time()
    for day in range(1, 11):
        world.deliver(tmp_path, JULY + day * DAY, JULY + (day + 1) * DAY)
        world.requests(JULY + day * DAY, JULY + (day + 1) * DAY)
    assert (time.process_time() - used) / 10 < 0.25
