"""Definitions of a flights project, declared with the floors' own nouns."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import polars as pl

from drivetrain.core.clock import DAY
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.features.aggregate import count, last, mean, share, std
from drivetrain.features.entity import Entity
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView


def evidence(value: object) -> str:
    """Figures as records keep them."""
    return msgspec.json.encode(value).decode()


@dataclass(frozen=True)
class Named:
    name: str
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labelled:
    source: Named
    entity: str | None = None


@dataclass(frozen=True)
class Model:
    name: str
    label: Labelled = Labelled(Named("flights"))
    request_columns: tuple[str, ...] = ("sched_dep", "sched_arr", "carrier", "tailnum")
    views: tuple[FeatureView, ...] = ()
    requests: tuple[RequestFeatures, ...] = ()
    derived: tuple[FeatureView, ...] = ()
    computed: tuple[RequestFeatures, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    name: str
    model: Model


def calendar(request: pl.DataFrame) -> list[pl.Expr]:
    """Hour, weekday and month of the scheduled departure, and the planned time in the air."""
    assert request is not None
    leaves = pl.col("sched_dep")
    return [
        leaves.dt.hour().alias("hour"),
        leaves.dt.weekday().alias("weekday"),
        leaves.dt.month().alias("month"),
        (pl.col("sched_arr") - leaves).dt.total_minutes().alias("minutes_planned"),
        pl.col("carrier"),
    ]


FLIGHTS = Source(
    name="flights",
    reader=files("raw/flights/*.parquet"),
    key=("flight_id",),
    time="sched_dep",
    available="landed_at",
    description="Every departure from New York City, as the airlines reported it",
    owner="flight data",
    contract=Contract(
        {
            "flight_id": Column("string", nullable=False, description="Date, carrier, flight number and origin"),
            "carrier": Column("string", nullable=False, references=("airlines", "carrier")),
            "origin": Column("string", among=("EWR", "JFK", "LGA")),
            "tailnum": Column("string", pattern="^N[0-9A-Z]{2,5}$"),
            "dep_time": Column("int", low=1, high=2400, description="Local clock time, hour and minute"),
            "arr_delay": Column("float", low=-120, high=1500, description="Minutes late; early is negative"),
            "distance": Column("int", low=1),
            "crew_contact": Column("string", privacy="personal", description="Who signed the report"),
        }
    ),
)
WEATHER = Source(
    name="weather",
    reader=files("raw/weather/*.parquet"),
    key=("origin", "hour"),
    time="hour",
    description="Hourly observations at the three airports",
    contract=Contract(
        {
            "origin": Column("string", nullable=False, among=("EWR", "JFK", "LGA")),
            "temp": Column("float", low=-40, high=120),
            "wind_speed": Column("float", low=0, high=130, description="Miles per hour"),
            "visib": Column("float", low=0, high=10),
        }
    ),
)


def _list(name: str, key: str, description: str) -> Source:
    return Source(name=name, reader=files(f"raw/{name}.csv"), key=(key,), description=description)


SOURCES = {
    one.name: one
    for one in (
        FLIGHTS,
        WEATHER,
        _list("planes", "tailnum", "Make, size and year of each aircraft"),
        _list("airports", "faa", "Place and time zone of each airport"),
        _list("airlines", "carrier", "Carrier codes and names"),
    )
}
_DELAY = pl.col("arr_delay")
_PLANE, _ROUTE = Entity("plane", ("tailnum",)), Entity("route", ("origin", "dest"))
_CARRIER, _AIRPORT = Entity("carrier", ("carrier",)), Entity("airport", ("origin",))
VIEWS = {
    one.name: one
    for one in (
        FeatureView(
            name="plane_history",
            entity=_PLANE,
            source=FLIGHTS,
            ttl=60 * DAY,
            features=(
                mean("arr_delay", windows=["1d", "7d", "30d"]),
                count(windows=["1d"]),
                last(_DELAY - pl.col("dep_delay"), name="last_made_up"),
            ),
            description="How late this aircraft has been of late",
            owner="data science",
        ),
        FeatureView(
            name="route_history",
            entity=_ROUTE,
            source=FLIGHTS,
            ttl=60 * DAY,
            features=(share(_DELAY >= 15, windows=["7d", "30d"], name="share_late"), std("arr_delay", windows="30d")),
            description="How late flights between these two airports have been",
            owner="data science",
        ),
        FeatureView(
            name="carrier_history",
            entity=_CARRIER,
            source=FLIGHTS,
            ttl=30 * DAY,
            features=(share(_DELAY >= 15, windows=["1d", "7d"], name="share_late"), mean("dep_delay", windows="1d")),
            description="How late this carrier has been",
            owner="data science",
        ),
        FeatureView(
            name="airport_history",
            entity=_AIRPORT,
            source=FLIGHTS,
            ttl=7 * DAY,
            features=(mean("dep_delay", windows=["3h", "1d"]), count(windows="3h")),
            description="How congested the airport of departure is",
            owner="data science",
        ),
        FeatureView(
            name="weather",
            entity=_AIRPORT,
            source=WEATHER,
            ttl=DAY // 4,
            features=(last("temp"), last("wind_speed"), last("visib")),
            description="The newest observation that had been made by then",
            owner="data science",
        ),
    )
}
REQUESTS = {
    "calendar": RequestFeatures(
        name="calendar", function=calendar, inputs={"sched_dep": "time", "sched_arr": "time", "carrier": "string"}
    )
}
FEATURES = (
    *(name for view in VIEWS.values() for name in view.feature_names),
    *(name for request in REQUESTS.values() for name in request.feature_names),
)
