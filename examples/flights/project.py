"""Will this flight be late? Asked two hours before scheduled departure, answered from what is known then."""

from __future__ import annotations

from pathlib import Path

import cleaning
import polars as pl
import world

import contracts
import drivetrain as dt

RAW = Path(__file__).parent / "raw"

project = dt.Project(
    "flights",
    objective="Warn passengers two hours before departure that they will arrive 15 or more minutes late",
    metric="average_precision",
)

# ---- where raw rows arrive: files, a database, JSON lines ----

airports = project.source(
    "airports",
    dt.files("raw/airports/*.csv"),
    key="faa",
    contract=contracts.AIRPORTS,
    description="Airports with their time zones",
    owner="reference data",
)
airlines = project.source(
    "airlines", dt.files("raw/airlines.csv"), key="carrier", contract=contracts.AIRLINES, owner="reference data"
)
planes = project.source(
    "planes",
    dt.files("raw/planes.jsonl"),
    key="tailnum",
    contract=contracts.PLANES,
    prepare=cleaning.planes,
    description="The registry of aircraft",
    owner="fleet",
)
weather = project.source(
    "weather",
    dt.sql("sqlite:///raw/weather.db", table="weather", cursor="time_hour"),
    key=["origin", "observed"],
    time="observed",
    delay="1h",
    contract=contracts.WEATHER,
    prepare=cleaning.weather,
    description="Hourly observations at the three airports; the source rounds their times down to the hour",
    owner="operations",
)
departures = project.source(
    "departures",
    dt.files("raw/departures/*.csv"),
    key="flight_id",
    time="sched_dep",
    available="departed_at",
    contract=contracts.DEPARTURES,
    prepare=cleaning.departures,
    description="Every flight that has left, reported when it did",
    owner="operations",
)
flights = project.source(
    "flights",
    dt.files("raw/flights/*.parquet"),
    key="flight_id",
    time="sched_dep",
    available="landed_at",
    contract=contracts.FLIGHTS,
    prepare=cleaning.flights,
    uses=[airports],
    description="Every departure from New York City, known once it has landed or was cancelled",
    owner="operations",
)

# ---- what is known of whom, two hours before departure ----

plane = dt.Entity("plane", keys=["tailnum"])
route = dt.Entity("route", keys=["origin", "dest"])
carrier = dt.Entity("carrier", keys=["carrier"])
airport = dt.Entity("airport", keys=["origin"])
destination = dt.Entity("destination", keys=["dest"])

late = pl.col("arr_delay") >= 15

plane_history = project.feature_view(
    "plane_history",
    entity=plane,
    source=flights,
    ttl="60d",
    features=[
        dt.mean("arr_delay", windows=["1d", "7d"]),
        dt.count(windows=["1d"]),
        dt.last("arr_delay"),
        dt.last(pl.col("arr_delay") - pl.col("dep_delay"), name="last_made_up"),
    ],
    description="How this aircraft has been running",
    owner="fleet",
)
plane_departures = project.feature_view(
    "plane_departures",
    entity=plane,
    source=departures,
    ttl="2d",
    features=[dt.last("dep_delay"), dt.max("dep_delay", windows=["1d"])],
    description="Departure delays, known as soon as the aircraft has left",
    owner="fleet",
)
plane_facts = project.feature_view(
    "plane_facts",
    entity=plane,
    source=planes,
    features=[dt.last("built"), dt.last("seats")],
    description="The aircraft itself",
    owner="fleet",
)
route_history = project.feature_view(
    "route_history",
    entity=route,
    source=flights,
    ttl="60d",
    features=[
        dt.share(late, name="late", windows=["30d"]),
        dt.mean("arr_delay", windows=["1d"]),
        dt.mean("air_time", windows=["30d"]),
    ],
    owner="network planning",
)
carrier_history = project.feature_view(
    "carrier_history",
    entity=carrier,
    source=flights,
    ttl="30d",
    features=[
        dt.share(late, name="late", windows=["6h", "1d", "30d"]),
        dt.mean("arr_delay", windows=["6h", "1d"]),
    ],
    owner="network planning",
)
airport_departures = project.feature_view(
    "airport_departures",
    entity=airport,
    source=departures,
    ttl="7d",
    features=[
        dt.mean("dep_delay", windows=["3h", "6h", "1d"]),
        dt.share(pl.col("dep_delay") >= 15, name="left_late", windows=["1d", "7d"]),
        dt.count(windows=["3h"]),
    ],
    description="How departures are running at the airport right now",
    owner="operations",
)
destination_history = project.feature_view(
    "destination_history",
    entity=destination,
    source=flights,
    ttl="30d",
    features=[dt.mean("arr_delay", windows=["6h", "1d"]), dt.count(windows=["1d"])],
    owner="network planning",
)
weather_now = project.feature_view(
    "weather_now",
    entity=airport,
    source=weather,
    ttl="6h",
    features=[
        dt.last("temp"),
        dt.last("humid"),
        dt.last("wind_speed"),
        dt.last("visib"),
        dt.last("pressure"),
        dt.sum("precip", windows=["3h", "6h"]),
        dt.min("visib", windows=["6h"]),
    ],
    description="The last observation that had really been made",
    owner="operations",
)


@project.request_features(
    inputs={
        "carrier": "string",
        "origin": "string",
        "sched_dep": "time",
        "sched_arr": "time",
        "distance": "float",
    }
)
def schedule(_request: pl.DataFrame) -> list[pl.Expr]:
    """What the timetable says."""
    local = pl.col("sched_dep").dt.convert_time_zone("America/New_York")
    return [
        pl.col("carrier"),
        pl.col("origin"),
        local.dt.hour().alias("hour"),
        local.dt.weekday().alias("weekday"),
        (local.dt.hour().cast(pl.Float64) + local.dt.minute() / 60).alias("time_of_day"),
        ((pl.col("sched_arr") - pl.col("sched_dep")).dt.total_seconds() / 60).alias("minutes"),
        pl.col("distance"),
    ]


# ---- what is to be learned, and what it must meet ----

late_model = project.model(
    "late",
    label=dt.label(flights, late, at=pl.col("sched_dep") - pl.duration(hours=2)),
    features=[
        schedule,
        plane_history,
        plane_departures,
        plane_facts,
        route_history,
        carrier_history,
        airport_departures,
        destination_history,
        weather_now,
    ],
    trainer=dt.LightGBM(learning_rate=0.15),
    split=dt.TimeSplit(test="30d", valid="28d"),
    tune=dt.Tune(trials=3, rows=30_000),
    baselines={
        "late rate per carrier and hour": dt.HistoricalRate(by=["schedule.carrier", "schedule.hour"]),
        "logistic regression": dt.Sklearn("logistic_regression"),
    },
    slices=["schedule.carrier", "schedule.origin"],
    gates=[
        dt.Gate("average_precision", at_least=0.35),
        dt.Gate("roc_auc", at_least=0.65),
        dt.Gate.beats_baselines(),
        dt.Gate.keeps_up_with_champion(loss=0.02),
    ],
    seed=2013,
    description="Probability that a flight from New York City arrives 15 or more minutes late",
    owner="passenger information",
)

project.endpoint(
    "late",
    model=late_model,
    description="Asked two hours before scheduled departure",
    traffic=dt.Traffic(
        requests=lambda since, until: world.requests(since, until).drop("flight"),
        deliver=lambda since, until: world.deliver(RAW, since, until),
    ),
)

project.monitor(
    "late",
    window="7d",
    drift=dt.Drift(),
    performance=dt.Performance(),
    retrain=dt.Retrain(when=["performance", "drift"], cooldown="63d", shadow="14d"),
)
