"""Features in an answer, in its log row and in a training set are the same."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR, MINUTE, iso
from drivetrain.core.errors import StoreError
from drivetrain.core.records import ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.features.aggregate import count, last, mean
from drivetrain.features.encoding import encode, schema_of
from drivetrain.features.entity import Entity
from drivetrain.features.online.materialise import materialise
from drivetrain.features.training_set import build
from drivetrain.features.view import FeatureView
from drivetrain.serve.app import Application
from drivetrain.serve.log.compact import compact
from drivetrain.serve.plan import EndpointPlan, RequestField
from serve import world
from serve.fakes import Door

START = 1_372_636_800_000_000
UTC = pl.Datetime("us", "UTC")
LATE = "/v1/endpoints/late/predict"


@dataclass(frozen=True)
class Origin:
    name: str
    key: tuple[str, ...]


ORIGIN = Origin("flights", ("flight_id",))
PLANE = FeatureView(
    name="plane",
    entity=Entity("plane", keys=("tailnum",)),
    source=ORIGIN,
    ttl=7 * DAY,
    features=(mean("delay", windows=["1d", "7d"]), count(windows=["1d"]), last("carrier", name="flown_by")),
)
ROUTE = FeatureView(
    name="route",
    entity=Entity("route", keys=("origin", "dest")),
    source=ORIGIN,
    features=(mean("delay", windows=["6h"]), last(pl.col("delay") * 2, name="twice")),
)
PLAN = EndpointPlan(
    name="late",
    model="late",
    fields=(
        RequestField("flight_id", "string"),
        RequestField("sched", "time"),
        RequestField("tailnum", "string", nullable=True),
        RequestField("origin", "string"),
        RequestField("dest", "string"),
    ),
    views=(PLANE, ROUTE),
    requests=(world.CALENDAR,),
    entity=("flight_id",),
)


def events(chance, count):
    times = sorted(START + chance.randrange(20 * DAY // MINUTE) * MINUTE for _ in range(count))
    return pl.DataFrame(
        {
            "tailnum": [chance.choice("ABC") for _ in times],
            "origin": [chance.choice(["JFK", "EWR"]) for _ in times],
            "dest": [chance.choice(["SFO", "LAX"]) for _ in times],
            "carrier": [chance.choice(["UA", "AA", None]) for _ in times],
            "delay": [chance.choice([None, -3.5, 12.0, 47.25]) for _ in times],
            "_event_time": times,
            "_available_at": [time + chance.randrange(6 * HOUR) for time in times],
            "_seq": range(len(times)),
        },
        schema_overrides={"_event_time": UTC, "_available_at": UTC},
    )


@pytest.fixture
def store(tmp_path):
    opened = world.fresh_store(tmp_path)
    yield opened
    opened.close()


def serve_version(store, training):
    schema = schema_of(training, [*PLANE.feature_names, *ROUTE.feature_names, *world.CALENDAR.feature_names])
    version = world.add_version(store, "plain", 1, 0.5)
    store.catalog.commit(
        ModelVersion(
            model="late",
            version=1,
            run_id="run",
            artifacts=version.artifacts,
            engine="sum",
            input_schema=schema,
            features={one.name: one.digest for one in (PLANE, ROUTE, world.CALENDAR)},
            training_set="table:training@1",
            gates=version.gates,
        )
    )
    world.point(store, "late", "champion", 1)
    return schema


def test_a_logged_row_equals_the_training_row_of_the_same_moment(store, tmp_path):
    chance = random.Random(3)
    version = store.tables.append("flights", events(chance, 400))
    for view in (PLANE, ROUTE):
        materialise(store, view, version, now=START + 30 * DAY, grace=30 * DAY)
    asked = pl.DataFrame(
        {
            "flight_id": [f"f{at}" for at in range(200)],
            "_at": [START + chance.randrange(25 * DAY) for _ in range(200)],
            "tailnum": [chance.choice(["A", "B", "C", "unseen", None]) for _ in range(200)],
            "origin": [chance.choice(["JFK", "EWR"]) for _ in range(200)],
            "dest": [chance.choice(["SFO", "LAX", "nowhere"]) for _ in range(200)],
        },
        schema_overrides={"_at": UTC},
    ).with_columns(sched=pl.col("_at") + pl.duration(hours=2))
    offline = build(asked, PLAN.views, PLAN.requests, store.tables.scan)
    schema = serve_version(store, offline)
    app = Application([PLAN], store, ServeSettings(allow_at=True), tmp_path / "log", load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    rows = asked.with_columns(pl.col("_at", "sched").dt.epoch("us")).to_dicts()

    async def send(part):
        instances = [{**{k: v for k, v in row.items() if k != "_at"}, "sched": iso(row["sched"])} for row in part]
        body = {"instances": instances, "at": [iso(row["_at"]) for row in part]}
        return await Door(app, loop).send("POST", LATE, json.dumps(body).encode())

    async def all_of_them():
        return await asyncio.gather(*(send(rows[at : at + 3]) for at in range(0, 200, 3)))

    answers = loop.run_until_complete(all_of_them())
    app._reloader.close()
    for plane in app._planes.values():
        plane.close()
    loop.close()
    assert {wire.status for wire in answers} == {200}, answers[0].body
    compact(store, tmp_path / "log")
    logged = store.tables.read("log/late/predictions")
    by_flight = logged.select("entity", "values").join(
        asked.select(entity="flight_id").with_row_index(), on="entity", maintain_order="right"
    )
    np.testing.assert_array_equal(np.array(by_flight["values"].to_list()), encode(offline, schema))
    expected = np.nansum(np.array(by_flight["values"].to_list()), axis=1) + 0.5
    given = logged.join(by_flight.select("entity", "index"), on="entity").sort("index")["prediction"]
    np.testing.assert_allclose(given.to_numpy(), expected)
    ages = np.array(logged["ages"].to_list())
    assert ages.shape == (200, 2)
    assert np.nanmin(ages) >= 0.0


def test_features_are_counted_and_aged_in_the_metrics(store, tmp_path):
    version = store.tables.append("flights", events(random.Random(1), 50))
    for view in (PLANE, ROUTE):
        materialise(store, view, version, now=START + 30 * DAY)
    offline = build(
        pl.DataFrame({"_at": [START], "tailnum": ["A"], "origin": ["JFK"], "dest": ["SFO"], "sched": [START]}).cast(
            {"_at": UTC, "sched": UTC}
        ),
        PLAN.views,
        PLAN.requests,
        store.tables.scan,
    )
    serve_version(store, offline)
    app = Application([PLAN], store, ServeSettings(allow_at=True), tmp_path / "log", load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    door = Door(app, loop)
    request = {"flight_id": "f", "sched": iso(START), "tailnum": None, "origin": "JFK", "dest": "SFO"}
    assert door.post(LATE, {"instances": [request], "at": iso(START + 19 * DAY)})[0] == 200
    long = {**request, "tailnum": "x" * 10_000}
    assert door.post(LATE, {"instances": [long], "at": iso(START + 19 * DAY)})[0] == 200
    text = door.get("/metrics")[1]
    assert 'drivetrain_missing_features_total{endpoint="late",feature="plane.mean_delay_1d"} 2.0' in text
    assert 'drivetrain_feature_age_seconds_count{endpoint="late",view="route"} 2.0' in text
    app.__rsgi_del__(loop)
    loop.close()


@pytest.mark.parametrize("policy", ["refuse", "null"])
def test_while_the_online_store_is_away_the_endpoint_does_as_it_declares(store, tmp_path, monkeypatch, policy):
    version = store.tables.append("flights", events(random.Random(1), 50))
    for view in (PLANE, ROUTE):
        materialise(store, view, version, now=START + 30 * DAY)
    asked = pl.DataFrame({"_at": [START], "tailnum": ["A"], "origin": ["JFK"], "dest": ["SFO"], "sched": [START]})
    training = build(asked.cast({"_at": UTC, "sched": UTC}), PLAN.views, PLAN.requests, store.tables.scan)
    serve_version(store, training)
    plan = replace(PLAN, features_away=policy)
    app = Application([plan], store, ServeSettings(allow_at=True), tmp_path / "log", load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    door = Door(app, loop)
    request = {"flight_id": "f", "sched": iso(START), "tailnum": "A", "origin": "JFK", "dest": "SFO"}
    body = {"instances": [request], "at": iso(START + 19 * DAY)}
    status, known = door.post(LATE, body)
    assert status == 200
    assert "features_away" not in known

    def away(*_):
        raise StoreError("the online store is away", do="Start it")

    with monkeypatch.context() as patched:
        patched.setattr(type(store.online), "read_in_place", away)
        status, answer = door.post(LATE, body)
        if policy == "refuse":
            assert status == 503
            assert "away" in answer["error"]["message"]
        else:
            assert status == 200
            assert answer["features_away"] == ["plane", "route"]
            unknown = {**request, "tailnum": None, "origin": "nowhere"}
            assert answer["predictions"] != known["predictions"]
            assert 'drivetrain_features_away_total{endpoint="late"} 1.0' in door.get("/metrics")[1]
            assert door.post(LATE, {**body, "instances": [unknown]})[1]["features_away"] == ["plane", "route"]
    assert door.post(LATE, body)[1]["predictions"] == known["predictions"]
    app.__rsgi_del__(loop)
    loop.close()
