"""What MLflow's own client takes against a server or a database; ``mlflow_logging.py`` runs it where MLflow is.

python benchmarks/mlflow_client.py URI ROUNDS
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import lightgbm
import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric

MANY = 1_000


def millis(work, many: int, rounds: int) -> float:
    """Milliseconds of a call: the least of the rounds' medians."""
    medians = []
    for turn in range(rounds):
        took = []
        for at in range(many):
            begin = time.perf_counter()
            work(turn * many + at)
            took.append(1e3 * (time.perf_counter() - begin))
        medians.append(statistics.median(took))
    return min(medians)


def main(uri: str, rounds: int) -> None:
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    experiment = client.create_experiment(f"bench-{time.time_ns()}")
    run = client.create_run(experiment).info.run_id
    batches = [
        [Metric(f"m{at % 10}", at / 7, 1_700_000_000_000 + at, turn * MANY + at) for at in range(MANY)]
        for turn in range(3 * rounds + 1)
    ]
    client.log_metric(run, "warm", 1.0)
    client.log_batch(run, batches[-1])
    found = {
        "one": millis(lambda at: client.log_metric(run, "one", at / 3, step=at), 40, rounds),
        "batch": millis(lambda at: client.log_batch(run, batches[at]), 3, rounds),
        "hundreds": millis(lambda _: client.log_batch(run, batches[0][:100]), 10, rounds) / 100,
        "param": millis(lambda at: client.log_param(run, f"p{at}", at), 20, rounds),
        "history": millis(lambda _: client.get_metric_history(run, "m3"), 5, rounds),
        "search": millis(lambda _: client.search_runs([experiment], "metrics.m3 > 1"), 5, rounds),
    }
    dice = np.random.default_rng(1)
    rows = dice.normal(size=(2_000, 20))
    data = lightgbm.Dataset(rows, rows[:, 0] > 0)
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 100)
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run():
        info = mlflow.lightgbm.log_model(model, name="m", pip_requirements=["lightgbm"])
    name = f"bench-{time.time_ns()}"
    client.create_registered_model(name)
    source = info.model_uri
    found["register"] = millis(lambda _: client.create_model_version(name, source, model_id=info.model_id), 5, rounds)
    found["load"] = millis(lambda _: mlflow.lightgbm.load_model(f"models:/{name}/1"), 5, rounds)
    print("FOUND " + json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
