"""An experiment of three runs as MLflow's clients log them, and a version that can't be served."""

from __future__ import annotations

import io
import math
import random

from drivetrain.core.clock import MINUTE, micros_of
from drivetrain.core.records import (
    Dataset,
    Link,
    Metric,
    RegisteredModel,
    RegisteredVersion,
    Run,
    Tracked,
    TrackedExperiment,
)
from drivetrain.registry.tracking import files, runs
from drivetrain.registry.tracking.place import Place

EXPERIMENT = "1385000000000000"
RUNS = ("0193-tracked-1", "0193-tracked-2", "0193-tracked-3")
_ROLE = {"mlflow.data.context": "training"}
START = micros_of("2013-12-30T06:00Z")


def track(place: Place) -> None:
    """Fills what the pages of experiments show."""
    dice = random.Random(3)
    place.catalog.commit(
        TrackedExperiment(
            at=START, experiment_id=EXPERIMENT, name="late / a-deeper-net-with-a-rather-long-name", updated=START,
            location=f"mlflow-artifacts:/{EXPERIMENT}", tags={"team": "punctuality"},
        )
    )  # fmt: skip
    for number, run_id in enumerate(RUNS):
        at = START + number * 40 * MINUTE
        tracked = Tracked(
            experiment=EXPERIMENT, name=f"net-{number}", user="ada",
            datasets=(Dataset(name="training/late", digest="d41d8cd9", source_type="local", tags=_ROLE),),
        )  # fmt: skip
        place.catalog.commit(
            Run(at=at, run_id=run_id, model="late", trainer="mlflow", code="", environment="", tracked=tracked)
        )
        metrics = [
            Metric(
                key="valid loss", value=math.nan if step == 7 else 1 / (step + 2) + dice.random() / 20, step=step, at=at
            )
            for step in range(60)
        ]
        metrics.append(Metric(key="auc", value=0.71 + 0.02 * number, step=59, at=at))
        said = {"depth": str(3 + number), "learning_rate": "0.05", "note": "a text that is long " * 6}
        runs.log(place, run_id, metrics, parameters=said, tags={"mlflow.user": "ada", "stage": "first try"})
        files.keep(place, f"{EXPERIMENT}/{run_id}/artifacts", "model/MLmodel", io.BytesIO(b"flavors: {}\n"))
        if number < 2:
            runs.update(place, run_id, status="failed" if number else "done", ended=at + 17 * MINUTE)
    place.catalog.commit(
        RegisteredModel(at=START, name="late-net", updated=START, last=1),
        RegisteredVersion(
            at=START, model="late-net", version=1, source=f"runs:/{RUNS[0]}/model", run_id=RUNS[0], updated=START,
            unservable="it is a pickle, and opening one can run anything: log the model itself",
        ),
        links=[Link(f"run:{RUNS[0]}", "registered_version:late-net@1", "run")],
    )  # fmt: skip
