"""What a server of the fault tests serves: models that fail on demand, views in an online store, a clock that jumps."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivetrain.core.clock import DAY, HOUR, now
from drivetrain.core.protocols import Engine, Matrix
from drivetrain.core.records import Alias, Field, InputSchema, ModelVersion
from drivetrain.core.settings import ServeSettings, StoreSettings
from drivetrain.features.aggregate import count, mean
from drivetrain.features.entity import Entity
from drivetrain.features.online.push import Pusher
from drivetrain.features.view import FeatureView
from drivetrain.serve.app import Application
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.store.bundle import Store, open_store
from features.stores import Rows
from serve import world

FAILS, HANGS, NOTHING, SLOW, LAZY = -1.0, 77.0, 88.0, 99.0, 66.0
"""Biases of the models that raise, never return, say NaN, take their time, and take it while they load."""
SLOW_SECONDS = 0.01
LOAD_SECONDS = 3.0
_ENOUGH = 12
"""Rows from which a batch of the slow model costs no more: it is timed sooner, and requests don't gain by joining."""
DEADLINE = 0.5
STORES = "stores.json"
CLOCK = "clock"

PLANE = FeatureView(
    name="plane",
    entity=Entity("plane", keys=("tailnum",)),
    source=Rows(name="flights", key=("flight_id",), time="at", available=None),
    features=(mean("delay", windows=["1d"]), count(windows=["1d"])),
)
LATE = EndpointPlan(
    name="late",
    model="late",
    fields=(RequestField("flight_id", "string"), RequestField("tailnum", "string", nullable=True)),
    views=(PLANE,),
    entity=("flight_id",),
)
PLANS = (
    world.PLAIN,
    world.TIMED,
    LATE,
    replace(LATE, name="lenient", features_away="null"),
    replace(world.PLAIN, name="timely", deadline=DEADLINE),
    replace(world.PLAIN, name="previous", deadline=DEADLINE, fallback="previous"),
    replace(world.PLAIN, name="default", deadline=DEADLINE, fallback=0.25),
)


class Broken(world.Sum):
    """Fails as its bias says; on real rows only, not on the neutral ones it is warmed up with."""

    def predict_row(self, row: Sequence[float]) -> float:
        real = any(row)
        if self.bias == SLOW:
            time.sleep(SLOW_SECONDS)
        if self.bias == HANGS and real:
            threading.Event().wait()
        if self.bias == NOTHING and real:
            return math.nan
        return super().predict_row(row)

    def predict(self, rows: Matrix) -> Matrix:
        if self.bias != SLOW:
            return super().predict(rows)
        time.sleep(SLOW_SECONDS * min(len(rows), _ENOUGH))
        return np.full(len(rows), SLOW)


def load(store: Store, version: ModelVersion) -> Engine:
    bias = json.loads(store.blobs.get(version.artifacts[0].digest))["bias"]
    if bias == LAZY:
        time.sleep(LOAD_SECONDS)
    return Broken(bias)


def make(folder: Path, **stores: str) -> Store:
    """The world's store, and a model of one view; ``stores`` are settings of the store."""
    (folder / STORES).write_text(json.dumps(stores), "utf-8")
    store = open_store(StoreSettings(**stores), folder)
    for model in world.SCHEMAS:
        world.add_version(store, model, 1, 0.0)
        world.point(store, model, "champion", 1)
    plain = world.add_version(store, "plain", 1, 0.0)
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    schema = InputSchema(tuple(Field(name) for name in PLANE.feature_names))
    store.catalog.commit(
        ModelVersion(**fields | {"model": "late", "input_schema": schema, "features": {"plane": PLANE.digest}})
    )
    world.point(store, "late", "champion", 1)
    return store


def promote(store: Store, number: int, bias: float) -> None:
    """Makes a version of the plain model champion; the one before it is version 1."""
    world.add_version(store, "plain", number, bias)
    store.catalog.commit(Alias(model="plain", alias="champion", version=number, previous=1, at=now()))


def application(folder: str, plans: Sequence[EndpointPlan] = PLANS) -> Application:
    """What a worker calls."""
    place = Path(folder)
    settings = ServeSettings(**json.loads((place / world.SETTINGS).read_text("utf-8")))
    store = open_store(StoreSettings(**json.loads((place / STORES).read_text("utf-8"))), place)
    pushers = {"plane": Pusher(store.online, PLANE, PLANE.source, grace=30 * DAY)}
    return Application(plans, store, settings, place / settings.log, pushers=pushers, load=load)


def lone(folder: str) -> Application:
    """The same with one endpoint: a slow model takes its time to be timed, too."""
    return application(folder, [world.PLAIN])


def jumping(folder: str) -> Application:
    """The same, on a machine whose clock is an hour behind while there is a file that says so."""
    clock, sign = time.time_ns, Path(folder) / CLOCK
    time.time_ns = lambda: clock() - (HOUR * 1_000 if sign.exists() else 0)
    return application(folder)
