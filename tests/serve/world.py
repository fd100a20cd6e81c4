"""A small endpoint with a made-up model, for every test of serving; also what real server processes run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from drivetrain.core.clock import now
from drivetrain.core.protocols import Engine, Matrix
from drivetrain.core.records import Alias, Artifact, Field, GateReport, InputSchema, ModelVersion
from drivetrain.core.settings import ServeSettings, StoreSettings
from drivetrain.features.request import RequestFeatures
from drivetrain.serve.app import Application
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.store.bundle import Store, open_store

SETTINGS = "serve.json"


class Sum:
    """Adds a row's numbers to a bias; a model one can check by head. Its bias can make it fail."""

    def __init__(self, bias: float) -> None:
        self.bias = bias

    def predict_row(self, row: Sequence[float]) -> float:
        if self.bias < 0:
            raise ValueError("this model always fails")
        return self.bias + sum(0.0 if math.isnan(value) else value for value in row)

    def predict(self, rows: Matrix) -> Matrix:
        return np.array([self.predict_row(row) for row in np.asarray(rows).tolist()])

    def explain(self, rows: Matrix) -> Matrix | None:
        return None


def load(store: Store, version: ModelVersion) -> Engine:
    return Sum(json.loads(store.blobs.get(version.artifacts[0].digest))["bias"])


def calendar(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col("sched").dt.hour().alias("hour"), pl.col("sched").dt.weekday().alias("weekday")]


CALENDAR = RequestFeatures(name="calendar", function=calendar, inputs={"sched": "time"})

FIELDS = (
    RequestField("flight_id", "string"),
    RequestField("carrier", "string"),
    RequestField("distance", "float"),
    RequestField("seats", "int", nullable=True),
)
PLAIN = EndpointPlan(name="plain", model="plain", fields=FIELDS, entity=("flight_id",))
TIMED = EndpointPlan(
    name="timed",
    model="timed",
    fields=(*FIELDS, RequestField("sched", "time")),
    requests=(CALENDAR,),
    entity=("flight_id",),
)
SCHEMAS = {
    "plain": InputSchema((Field("distance"), Field("carrier", "category", ("AA", "UA")), Field("seats"))),
    "timed": InputSchema((Field("calendar.hour"), Field("distance"), Field("calendar.weekday"))),
}


def instance(**changed: Any) -> dict[str, Any]:
    return {"flight_id": "f1", "carrier": "UA", "distance": 100.0, "seats": 5} | changed


def timed(**changed: Any) -> dict[str, Any]:
    return instance(sched="2013-07-01T09:30:00Z") | changed


def add_version(store: Store, model: str, number: int, bias: float) -> ModelVersion:
    data = json.dumps({"bias": bias, "number": number}).encode()
    digest = store.blobs.put(data)
    version = ModelVersion(
        model=model,
        version=number,
        run_id=f"run-{number}",
        artifacts=(Artifact("model.json", "json", digest, len(data)),),
        engine="sum",
        input_schema=SCHEMAS[model],
        features={"calendar": CALENDAR.digest} if model == "timed" else {},
        training_set="table:training@1",
        gates=GateReport((), now()),
        at=now(),
    )
    store.catalog.commit(version)
    return version


def point(store: Store, model: str, alias: str, version: int | None) -> None:
    store.catalog.commit(Alias(model=model, alias=alias, version=version, at=now()))  # type: ignore[arg-type]


def fresh_store(folder: Path) -> Store:
    return open_store(StoreSettings(), folder)


def make(folder: Path) -> Store:
    """A store in which version 1 of both models is champion; predictions are the sum of the inputs."""
    store = fresh_store(folder)
    for model in SCHEMAS:
        add_version(store, model, 1, 0.0)
        point(store, model, "champion", 1)
    return store


def application(folder: str) -> Application:
    """What a worker of a real server calls."""
    place = Path(folder)
    settings = ServeSettings(**json.loads((place / SETTINGS).read_text("utf-8")))
    return Application([PLAIN, TIMED], fresh_store(place), settings, place / settings.log, load=load)
