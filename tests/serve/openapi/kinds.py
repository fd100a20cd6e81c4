"""An endpoint with fields of every type, whose model takes any number and explains itself; what a server runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivetrain.core.clock import now
from drivetrain.core.protocols import Engine, Matrix
from drivetrain.core.records import Alias, Artifact, Field, GateReport, InputSchema, ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.features.online.push import Pusher
from drivetrain.serve.app import Application
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.store.bundle import Store
from features.stores import Rows
from serve import world
from serve.test_features import PLANE

FIELDS = (
    RequestField("text", "string", description="What it is called"),
    RequestField("count", "int"),
    RequestField("score", "float", nullable=True),
    RequestField("flag", "bool", nullable=True),
    RequestField("moment", "time"),
    RequestField("day", "date", nullable=True),
)
KINDS = EndpointPlan(name="kinds", model="kinds", fields=FIELDS, entity=("text",), description="Of every type")
FLIGHTS = Rows(name="flights", key=("flight_id",), time="at", available=None)


class Capped:
    """The sum of a row's numbers, each within bounds: no request is too much for it."""

    def predict_row(self, row: Sequence[float]) -> float:
        return float(self.predict(np.array([row]))[0])

    def predict(self, rows: Matrix) -> Matrix:
        return self.explain(rows).sum(axis=1)

    def explain(self, rows: Matrix) -> Matrix:
        capped = np.clip(np.nan_to_num(np.asarray(rows)), -1e6, 1e6)
        return np.hstack([capped, np.zeros((len(capped), 1))])


def load(store: Store, version: ModelVersion) -> Engine:
    return Capped()


def make(folder: Path) -> Store:
    """A store whose version 1 is champion."""
    store = world.fresh_store(folder)
    digest = store.blobs.put(b"{}")
    store.catalog.commit(
        ModelVersion(
            model="kinds",
            version=1,
            run_id="run-1",
            artifacts=(Artifact("model.json", "json", digest, 2),),
            engine="sum",
            input_schema=InputSchema((Field("count"), Field("score"))),
            features={},
            training_set="table:training@1",
            gates=GateReport((), now()),
            at=now(),
        )
    )
    store.catalog.commit(Alias(model="kinds", alias="champion", version=1, at=now()))
    return store


def application(folder: str) -> Application:
    """What a worker calls."""
    place = Path(folder)
    settings = ServeSettings(**json.loads((place / world.SETTINGS).read_text("utf-8")))
    store = world.fresh_store(place)
    pushers = {"plane": Pusher(store.online, PLANE, FLIGHTS)}
    return Application([KINDS], store, settings, place / settings.log, pushers=pushers, load=load)
