"""A call that goes straight is answered, logged and counted as the batch of the one call is."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, iso
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Field, InputSchema, ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.features.online.materialise import materialise
from drivetrain.serve.admission import predict_call
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.log.frame import pack, scan, unpack
from drivetrain.serve.plan import RequestField
from drivetrain.serve.refusal import EngineFailed
from drivetrain.serve.serving import Serving
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion
from serve import world
from serve.test_features import PLAN, PLANE, ROUTE, START, events

TOUCHED = 13.0
ONLINE = replace(PLAN, name="online", requests=(), features_away="null")
SECRET = replace(
    world.PLAIN,
    name="secret",
    entity=(),
    fields=(*world.FIELDS[:-1], RequestField("seats", "int", nullable=True, privacy="secret")),
)
NUMBERS = replace(
    world.PLAIN, name="numbers", entity=(), fields=tuple(RequestField(name, "float", nullable=True) for name in "abc")
)
SCHEMAS = {
    "online": InputSchema(tuple(Field(name) for view in (PLANE, ROUTE) for name in view.feature_names[:2])),
    "numbers": InputSchema(tuple(Field(name) for name in "abc")),
}
PLANS = [world.PLAIN, SECRET, NUMBERS, ONLINE]
NUMBER = st.floats(-1e6, 1e6) | st.just(TOUCHED)
INSTANCES = {
    "plain": st.builds(
        world.instance,
        flight_id=st.text(max_size=5),
        carrier=st.sampled_from(["AA", "UA", "ZZ"]),
        distance=NUMBER,
        seats=st.none() | st.integers(0, 300),
    ),
    "numbers": st.fixed_dictionaries(dict.fromkeys("abc", st.none() | NUMBER)),
    "online": st.fixed_dictionaries(
        {
            "flight_id": st.text(max_size=5),
            "sched": st.integers(0, 30 * DAY).map(lambda at: iso(START + at)),
            "tailnum": st.sampled_from(["A", "B", "unseen", None]),
            "origin": st.just("JFK"),
            "dest": st.sampled_from(["SFO", "nowhere"]),
        }
    ),
}
INSTANCES["secret"] = INSTANCES["plain"]


class Touchy(world.Sum):
    """Fails on rows that hold a certain number."""

    def predict_row(self, row):
        if TOUCHED in row:
            raise ValueError("this row fails")
        return super().predict_row(row)


class Road:
    """An endpoint whose log and figures can be looked at."""

    def __init__(self, plan, store, folder, share):
        self.meter = Meter()
        self.plane = Dataplane(plan, store.online, ServeSettings(log_share=share), folder, self.meter)
        model = store.catalog.get(ModelVersion, "plain@1")
        record = msgspec.structs.replace(model, input_schema=SCHEMAS.get(plan.name, model.input_schema))
        self.champion = LoadedVersion(record, Touchy(0.0), self.plane.lookup.names, {})
        self.champion.gathers = False
        self.plane.serving = Serving(self.champion)
        self.logged = []
        self.plane.log.append = self.logged.append

    def lose_views(self):
        def lost(rows, ats):
            raise StoreError("away")

        self.plane.lookup.vectors = lost

    def seen(self):
        """What was logged, apart from when, and what was counted."""
        entries = [unpack(frame.body) for frame in scan(b"".join(self.logged))]
        kept = [pack(msgspec.structs.replace(one, logged_at=0, latency_us=0)) for one in entries]
        return kept, self.meter.snapshot()


def told(answer):
    try:
        return answer()
    except EngineFailed as error:
        return str(error)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = world.make(tmp_path_factory.mktemp("straight"))
    version = opened.tables.append("flights", events(random.Random(3), 200))
    for view in (PLANE, ROUTE):
        materialise(opened, view, version, now=START + 30 * DAY, grace=30 * DAY)
    yield opened
    opened.close()


@pytest.mark.parametrize("fallback", [None, 0.25])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
@given(data=st.data(), share=st.sampled_from([1.0, 0.5]), away=st.booleans())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_is_answered_logged_and_counted(store, tmp_path, plan, fallback, data, share, away):
    plan = replace(plan, fallback=fallback)
    straight, general = (Road(plan, store, tmp_path / "log", share) for _ in range(2))
    if away and plan.views:
        straight.lose_views()
        general.lose_views()
    asked = st.lists(INSTANCES[plan.name], min_size=1, max_size=3)
    for instances in data.draw(st.lists(asked, min_size=1, max_size=8)):
        at = [iso(START + data.draw(st.integers(0, 25 * DAY))) for _ in instances]
        body = msgspec.json.encode({"instances": instances, "at": at})
        call = predict_call(body, straight.plane.schema, ServeSettings(allow_at=True))
        one = told(lambda call=call: asyncio.run(straight.plane.predict(call)))
        other = told(lambda call=call: general.plane.score([call])[0])
        assert one == other
    assert straight.seen() == general.seen()
    assert straight.plane.left_alone() == general.plane.left_alone()


def test_where_somebody_listens_in_nothing_goes_straight(store, tmp_path):
    road = Road(world.PLAIN, store, tmp_path / "log", 1.0)
    call = predict_call(
        msgspec.json.encode({"instances": [world.instance()]}), road.plane.schema, ServeSettings(allow_at=True)
    )
    scored = []

    def begin(calls):
        scored.extend(calls)
        return Dataplane._begin(road.plane, calls)

    road.plane._begin = begin
    asyncio.run(road.plane.predict(call))
    assert not scored
    offered = []
    road.plane.offer_explained = lambda *told: offered.append(told)
    asyncio.run(road.plane.predict(call))
    assert scored == [call]
    assert len(offered) == 1
    road.plane.offer_explained = None
    road.plane.serving = Serving(road.champion, shadow=road.champion)
    asyncio.run(road.plane.predict(call))
    assert scored == [call, call]
    road.plane.serving = Serving(road.champion)
    asyncio.run(road.plane.predict(call))
    assert scored == [call, call]
    road.plane.close()
