"""What rows must be. Bounds were set by looking at the data; ``data/README.md`` says what they catch."""

from __future__ import annotations

import polars as pl

import drivetrain as dt

NEW_YORK = ("EWR", "JFK", "LGA")

AIRPORTS = dt.Contract(
    {
        "faa": dt.Column("string", nullable=False, pattern="^[A-Z0-9]{3}$", privacy="public"),
        "name": dt.Column("string", nullable=False, privacy="public"),
        "lat": dt.Column("float", nullable=False, low=17, high=71.5, description="Degrees north"),
        "lon": dt.Column("float", nullable=False, low=-180, high=180, description="Degrees east"),
        "alt": dt.Column("int", low=-300, high=10_000, description="Feet above the sea"),
        "tz": dt.Column("int", low=-12, high=14, description="Hours from UTC in winter"),
        "dst": dt.Column("string", among=("A", "U", "N")),
        "tzone": dt.Column("string", pattern="^(America|Pacific)/", description="IANA time zone"),
    }
)

AIRLINES = dt.Contract(
    {
        "carrier": dt.Column("string", pattern="^[A-Z0-9]{2}$", privacy="public"),
        "name": dt.Column("string", nullable=False, privacy="public"),
    }
)

PLANES = dt.Contract(
    {
        "tailnum": dt.Column("string", pattern="^N[1-9][0-9A-Z]{0,4}$", description="Registration"),
        "built": dt.Column("int", low=1940, high=2013, description="Year of manufacture"),
        "type": dt.Column("string"),
        "manufacturer": dt.Column("string"),
        "model": dt.Column("string"),
        "engines": dt.Column("int", low=1, high=4),
        "seats": dt.Column("int", low=1, high=600),
        "speed": dt.Column("int", low=50, high=700, description="Cruising speed in miles per hour"),
        "engine": dt.Column("string"),
    },
    checks={
        "a 737-300 or later built before the first one flew in 1984": ~(
            pl.col("model").str.contains("^737-[3-9]") & (pl.col("built") < 1984)
        ),
    },
)

WEATHER = dt.Contract(
    {
        "origin": dt.Column("string", among=NEW_YORK),
        "observed": dt.Column("time", description="Hour of the observation, rounded down"),
        "month": dt.Column("int", nullable=False, low=1, high=12),
        "temp": dt.Column("float", low=-20, high=110, description="Degrees Fahrenheit"),
        "dewp": dt.Column("float", low=-40, high=90, description="Dew point in degrees Fahrenheit"),
        "humid": dt.Column("float", low=0, high=100, description="Relative humidity in percent"),
        "wind_dir": dt.Column("int", low=0, high=360),
        "wind_speed": dt.Column("float", low=0, high=120, description="Miles per hour"),
        "wind_gust": dt.Column("float", low=0, high=150, description="Miles per hour"),
        "precip": dt.Column("float", low=0, high=6, description="Inches in the hour"),
        "pressure": dt.Column("float", low=930, high=1060, description="Millibars at sea level"),
        "visib": dt.Column("float", low=0, high=10, description="Miles"),
    },
    checks={
        "dew point above the temperature": pl.col("dewp") <= pl.col("temp") + 0.1,
        "frost in New York between May and September; degrees Celsius?": ~(
            pl.col("month").is_between(5, 9) & (pl.col("temp") < 32)
        ),
    },
)

TAILNUM = dt.Column("string", pattern="^N[0-9A-Z]{1,5}$", description="Registration of the aircraft")

DEPARTURES = dt.Contract(
    {
        "flight_id": dt.Column("string"),
        "carrier": dt.Column("string", nullable=False, references=("airlines", "carrier")),
        "flight": dt.Column("int", nullable=False, low=1, high=9999),
        "tailnum": TAILNUM,
        "origin": dt.Column("string", nullable=False, among=NEW_YORK),
        "dest": dt.Column("string", nullable=False, references=("airports", "faa")),
        "sched_dep": dt.Column("time", low="2013-01-01", high="2014-01-02"),
        "departed_at": dt.Column("time", nullable=False),
        "dep_time": dt.Column("int", nullable=False, low=1, high=2400, description="Clock time hhmm in New York"),
        "dep_delay": dt.Column("int", nullable=False, low=-120, high=2_000, description="Minutes"),
    }
)

FLIGHTS = dt.Contract(
    {
        "flight_id": dt.Column("string"),
        "carrier": dt.Column("string", nullable=False, references=("airlines", "carrier")),
        "flight": dt.Column("int", nullable=False, low=1, high=9999),
        "tailnum": TAILNUM,
        "origin": dt.Column("string", nullable=False, among=NEW_YORK),
        "dest": dt.Column("string", nullable=False, references=("airports", "faa")),
        "sched_dep": dt.Column("time", low="2013-01-01", high="2014-01-02"),
        "sched_arr": dt.Column("time", nullable=False),
        "departed_at": dt.Column("time", description="Null if it never left"),
        "landed_at": dt.Column("time", description="When its outcome was known"),
        "dep_time": dt.Column("int", low=1, high=2400, description="Clock time hhmm in New York"),
        "arr_time": dt.Column("int", low=1, high=2400, description="Clock time hhmm at the destination"),
        "dep_delay": dt.Column("int", low=-120, high=2_000, description="Minutes"),
        "arr_delay": dt.Column("int", low=-180, high=2_000, description="Minutes; null if cancelled or diverted"),
        "air_time": dt.Column("int", low=10, high=900, description="Minutes"),
        "distance": dt.Column("int", nullable=False, low=10, high=6_000, description="Miles"),
    },
    checks={
        "arrives before it leaves": pl.col("sched_arr") > pl.col("sched_dep"),
        "in the air for longer than between departure and landing": (
            pl.col("arr_delay").is_null()
            | (pl.duration(minutes="air_time") <= pl.col("landed_at") - pl.col("departed_at"))
        ),
        "faster over the ground than 620 miles an hour": pl.col("distance") * 60 <= pl.col("air_time") * 620,
    },
)
