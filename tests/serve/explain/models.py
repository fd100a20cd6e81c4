"""Real models behind one endpoint, and a brute-force oracle of what their features contribute."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from drivetrain.core.clock import now
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import GateReport, ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.app import Application
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.store.bundle import Store
from drivetrain.testing.trainer import SCHEMA, make_task
from drivetrain.train.artifacts import engine_of, keep
from drivetrain.train.background import keep_background
from drivetrain.train.trainers import LightGBM, Sklearn
from serve import world

PLAN = EndpointPlan(
    name="late",
    model="late",
    fields=(
        RequestField("noise", "float", nullable=True),
        RequestField("carrier", "string", nullable=True),
        RequestField("delay", "float", nullable=True),
        RequestField("night", "bool", nullable=True),
        RequestField("wind", "float", nullable=True),
    ),
)

INSTANCES: list[dict[str, Any]] = [
    {"delay": 42.0, "wind": 7.5, "night": True, "carrier": "UA", "noise": 0.25},
    {"delay": None, "wind": 31.0, "night": False, "carrier": "ZZ", "noise": -1.0},
    {"delay": -8.0, "wind": None, "night": None, "carrier": None, "noise": None},
]
ENCODED = [
    [42.0, 7.5, 1.0, 2.0, 0.25],
    [math.nan, 31.0, 0.0, math.nan, -1.0],
    [-8.0, math.nan, math.nan, math.nan, math.nan],
]

TRAINERS = {
    "trees": (LightGBM(num_iterations=15), "late"),
    "trees of a value": (LightGBM(num_iterations=15, objective="regression"), "value"),
    "trees of a count": (LightGBM(num_iterations=15, objective="poisson"), "count"),
    "trees of classes": (LightGBM(num_iterations=8, objective="multiclass", num_class=4), "classes"),
    "a linear graph": (Sklearn("logistic_regression"), "late"),
    "a linear value": (Sklearn("ridge"), "value"),
    "a forest": (Sklearn("random_forest", n_estimators=8), "late"),
    "a forest of classes": (Sklearn("random_forest", n_estimators=8), "classes"),
    "a forest of a value": (Sklearn("sklearn.ensemble.RandomForestRegressor", n_estimators=8), "value"),
    "LightGBM's forest": (LightGBM(num_iterations=8, boosting="rf", bagging_freq=1, bagging_fraction=0.5), "late"),
}


def task_of(kind: str) -> FitTask:
    task = make_task()
    labels = {
        "late": task.labels,
        "value": np.nan_to_num(task.rows[:, 0]) * 3 - 5,
        "count": np.clip(np.nan_to_num(task.rows[:, 1]) // 5, 0, 9),
        "classes": np.nan_to_num(task.rows[:, 3]),
    }[kind]
    told = {"late": "binary", "classes": "multiclass"}.get(kind, "regression")
    classes = ("0", "1", "2", "3") if kind == "classes" else ()
    return replace(task, labels=labels, valid_rows=None, valid_labels=None, kind=told, classes=classes)


def trained(store: Store, name: str, number: int = 1) -> ModelVersion:
    """A version of the endpoint's model, kept as a run keeps it, and champion."""
    trainer, kind = TRAINERS[name]
    task = task_of(kind)
    artifacts, _ = keep(store.blobs, trainer.fit(task), SCHEMA, task.rows[:500])
    version = ModelVersion(
        model="late",
        version=number,
        run_id=f"run-{number}",
        artifacts=(*artifacts, *keep_background(store.blobs, artifacts, SCHEMA, task.rows, task.kind)),
        engine=engine_of(artifacts),
        input_schema=SCHEMA,
        features={},
        training_set="table:training@1",
        gates=GateReport((), now()),
        at=now(),
    )
    store.catalog.commit(version)
    world.point(store, "late", "champion", number)
    return version


def exact_shapley(
    predict: Callable[[np.ndarray], np.ndarray], background: np.ndarray, row: Sequence[float]
) -> list[float]:
    """Shapley values by their definition: over every set of features, the mean answer with the row's values in place.

    One output; time is 2 to the number of features.
    """
    width = len(row)
    worth: dict[frozenset[int], float] = {}
    for size in range(width + 1):
        for members in combinations(range(width), size):
            rows = background.copy()
            rows[:, list(members)] = np.array(row)[list(members)]
            worth[frozenset(members)] = float(np.asarray(predict(rows)).mean())
    values = []
    for feature in range(width):
        total = 0.0
        for members, value in worth.items():
            if feature not in members:
                ways = math.factorial(len(members)) * math.factorial(width - len(members) - 1)
                total += ways / math.factorial(width) * (worth[members | {feature}] - value)
        values.append(total)
    return values


def application(folder: str) -> Application:
    """What a worker of a real server calls."""
    place = Path(folder)
    settings = ServeSettings(**json.loads((place / world.SETTINGS).read_text("utf-8")))
    return Application([PLAN], world.fresh_store(place), settings, place / settings.log)
