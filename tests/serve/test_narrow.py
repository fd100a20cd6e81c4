"""An endpoint looks up and computes what the versions that answer it read, and nothing else; and that alike."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import random

import polars as pl
import pytest

from drivetrain.core.clock import DAY, iso
from drivetrain.core.records import Field, InputSchema, ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.features.derived import DerivedView
from drivetrain.features.interactions import interactions
from drivetrain.features.online.materialise import materialise
from drivetrain.serve.app import Application
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.log.compact import compact
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.narrow import NarrowLookup, narrowed
from drivetrain.serve.reload import Reloader
from drivetrain.serve.telemetry import Meter
from serve import world
from serve.fakes import Door
from serve.test_features import LATE, PLAN, PLANE, ROUTE, START, events

PAIRS = DerivedView(
    name="pairs",
    of=(PLANE, ROUTE),
    expressions=tuple(
        interactions(
            numbers=["plane.mean_delay_1d", "plane.count_1d", "route.mean_delay_6h"],
            kinds=["product", "difference"],
        )
    ),
)
TWICE = DerivedView(
    name="twice", of=(PAIRS,), expressions=((pl.col("pairs.mean_delay_1d_minus_count_1d") * 2).alias("gap"),)
)
WIDE = dataclasses.replace(PLAN, requests=(world.CALENDAR, PAIRS, TWICE))
EVERY = [
    name
    for group in (*WIDE.views, *WIDE.requests)
    for name in group.feature_names
    if name != "plane.flown_by"  # text
]
SOME = {
    "nothing but fields": ["origin"],
    "a view": ["plane.mean_delay_1d", "tailnum"],
    "one pair of the views": ["pairs.count_1d_times_mean_delay_6h"],
    "through two views": ["twice.gap"],
    "the request": [*world.CALENDAR.feature_names],
}


@pytest.fixture
def store(tmp_path):
    opened = world.fresh_store(tmp_path)
    version = opened.tables.append("flights", events(random.Random(3), 300))
    for view in (PLANE, ROUTE):
        materialise(opened, view, version, now=START + 30 * DAY, grace=30 * DAY)
    yield opened
    opened.close()


class Watched:
    """An online store that notes which views are asked for."""

    def __init__(self, store):
        self._store = store
        self.asked = set()

    def read_in_place(self, asks, use):
        self.asked |= {space.partition("@")[0] for space, _ in asks}
        return self._store.read_in_place(asks, use)

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_a_plan_keeps_what_is_read_and_what_that_is_made_from():
    plan = narrowed(WIDE, ["twice.gap"])
    assert [view.name for view in plan.views] == ["plane"]
    assert [group.feature_names for group in plan.requests] == [
        ("pairs.mean_delay_1d_minus_count_1d",), ("twice.gap",),
    ]  # fmt: skip
    assert plan.fields == WIDE.fields, "callers need not change"
    assert narrowed(WIDE, ["origin"]).views == narrowed(WIDE, ["origin"]).requests == ()
    assert narrowed(WIDE, EVERY) is WIDE


@pytest.mark.parametrize("read", SOME.values(), ids=SOME)
@pytest.mark.parametrize("away", [False, True])
def test_what_is_read_is_as_it_was_and_the_rest_is_null(store, read, away):
    chance = random.Random(1)
    rows = [
        (f"f{at}", START + DAY, chance.choice(["A", "B", None]), chance.choice(["JFK", "EWR"]), "SFO")
        for at in range(40)
    ]
    ats = [START + chance.randrange(25 * DAY) for _ in rows]
    whole = Lookup(WIDE, store.online)
    watched = Watched(store.online)
    narrow = NarrowLookup(whole, plan := narrowed(WIDE, read), watched)
    for some in (rows, rows[:1]):
        moments = ats[: len(some)]
        wide = whole.without_views(some) if away else whole.vectors(some, moments)
        found = narrow.without_views(some) if away else narrow.vectors(some, moments)
        for vector, expected in zip(found[0], wide[0], strict=True):
            for name, value, other in zip(whole.names, vector, expected, strict=True):
                group = name.partition(".")[0]
                if name in read or name in whole.names[-5:]:
                    assert value == other or (value != value and other != other)
                elif group not in {one.name for one in (*plan.views, *plan.requests)}:
                    assert value is None
        for ages, expected in zip(found[1], wide[1], strict=True):
            told = dict(zip(whole.views, ages, strict=True))
            for name, age in zip(whole.views, expected, strict=True):
                kept = name in {view.name for view in plan.views}
                assert (told[name] == age) if kept and not math.isnan(age) else math.isnan(told[name])
    assert watched.asked == (set() if away else {view.name for view in plan.views})


def version(store, number, names):
    made = world.add_version(store, "plain", number, 0.5)
    kept = {name.partition(".")[0] for name in names}
    store.catalog.commit(
        ModelVersion(
            model="late",
            version=number,
            run_id="run",
            artifacts=made.artifacts,
            engine="sum",
            input_schema=InputSchema(tuple(Field(name) for name in names)),
            features={
                group.name: group.digest for group in (PLANE, ROUTE, world.CALENDAR, PAIRS, TWICE) if group.name in kept
            },
            training_set="table:training@1",
            gates=made.gates,
        )
    )


def test_a_reload_looks_up_what_its_versions_read(store, tmp_path):
    plane = Dataplane(WIDE, store.online, ServeSettings(), tmp_path / "log", meter := Meter())
    reloader = Reloader({"late": plane}, store, world.load, meter, lambda: None)
    version(store, 1, ["plane.mean_delay_1d"])
    version(store, 2, ["twice.gap", "route.mean_delay_6h"])
    version(store, 3, EVERY)
    world.point(store, "late", "champion", 1)
    reloader.look()
    assert plane.serving.lookup is not None
    assert plane.serving.lookup.views == ("plane",)
    world.point(store, "late", "shadow", 2)
    reloader.look()
    assert plane.serving.lookup.views == ("plane", "route"), "who listens in reads too"
    held = plane.serving.lookup
    world.point(store, "late", "champion", 2)
    world.point(store, "late", "shadow", 1)
    reloader.look()
    assert plane.serving.lookup is held, "the same features, whoever reads them"
    world.point(store, "late", "champion", 3)
    reloader.look()
    assert plane.serving.lookup is None
    plane.close()


def test_a_version_that_reads_little_answers_and_logs_as_one_that_reads_all(store, tmp_path):
    few = ["plane.mean_delay_7d", "pairs.count_1d_times_mean_delay_6h"]
    version(store, 1, few)
    version(store, 2, [*few, *(name for name in EVERY if name not in few)])
    world.point(store, "late", "champion", 1)
    app = Application([WIDE], store, ServeSettings(allow_at=True), tmp_path / "log", load=world.load)
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    door, plane = Door(app, loop), app._planes["late"]
    for number in (1, 2):
        world.point(store, "late", "champion", number)
        app._reloader.look()
        assert (plane.serving.lookup is None) == (number == 2)
        for at in range(12):
            request = {"flight_id": f"f{at}", "sched": iso(START), "tailnum": "A", "origin": "JFK", "dest": "SFO"}
            assert door.post(LATE, {"instances": [request], "at": iso(START + (5 + at) * DAY)})[0] == 200
    app._reloader.close()
    plane.close()
    loop.close()
    compact(store, tmp_path / "log")
    logged = store.tables.read("log/late/predictions").sort("version", "at")
    one, other = ([row[:2] for row in part["values"].to_list()] for part in logged.partition_by("version"))
    assert len(one) == 12
    assert repr(one) == repr(other)
    assert any(value == value for value, _ in one)
    narrow, wide = ([tuple(row) for row in part["ages"].to_list()] for part in logged.partition_by("version"))
    assert [row[0] for row in narrow] == [row[0] for row in wide]
    assert all(len(row) == 2 for row in narrow)
