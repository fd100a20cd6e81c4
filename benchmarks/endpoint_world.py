"""What the endpoints of ``endpoint_apps.py`` stand on: a model, its versions, and online rows."""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, now
from drivetrain.core.records import Alias, Artifact, Field, GateReport, InputSchema, ModelVersion
from drivetrain.core.settings import StoreSettings
from drivetrain.features.online.materialise import materialise
from drivetrain.store.bundle import Store, open_store
from endpoint_apps import ASKED, FEATURES, NAMES, PLANS, VIEWS

TREES, LEAVES = 200, 63
ENTITIES = 1000


def prepare(folder: Path) -> None:
    """Trains the model, fills the online store, and makes version 1 champion of every endpoint."""
    chance = np.random.default_rng(0)
    rows = chance.random((20_000, FEATURES))
    labels = (rows @ chance.random(FEATURES) + chance.normal(0, 1, len(rows)) > FEATURES / 4).astype(float)
    parameters = {"objective": "binary", "num_leaves": LEAVES, "verbose": -1, "num_threads": 2, "seed": 0}
    booster = lightgbm.train(parameters, lightgbm.Dataset(rows, labels), TREES)
    text = booster.model_to_string().encode()
    (folder / "model.txt").write_bytes(text)
    store = open_store(StoreSettings(), folder)
    digest = store.blobs.put(text)
    definitions = {"online": {view.name: view.digest for view in VIEWS}, "asked": {"asked": ASKED.digest}}
    for name in PLANS:
        version = ModelVersion(
            model=name,
            version=1,
            run_id="bench",
            artifacts=(Artifact("model.txt", "lightgbm", digest, len(text)),),
            engine="lightgbm",
            input_schema=InputSchema(tuple(Field(column) for column in NAMES[name])),
            features=definitions.get(name, {}),
            training_set="table:bench@0",
            gates=GateReport((), now()),
        )
        store.catalog.commit(version, Alias(model=name, alias="champion", version=1))
    _materialise(store)
    store.close()


def _materialise(store: Store) -> None:
    chance = np.random.default_rng(1)
    count = ENTITIES * 50
    times = np.sort(now() - chance.integers(0, DAY, count))
    frame = pl.DataFrame(
        {
            "thing": [f"t{at}" for at in chance.integers(0, ENTITIES, count)],
            "amount": chance.random(count),
            "_event_time": times,
            "_available_at": times,
            "_seq": np.arange(count),
        },
        schema_overrides={"_event_time": pl.Datetime("us", "UTC"), "_available_at": pl.Datetime("us", "UTC")},
    )
    version = store.tables.append("events", frame)
    for view in VIEWS:
        materialise(store, view, version, now=now())
