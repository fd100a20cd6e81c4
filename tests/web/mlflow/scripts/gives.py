"""A run as somebody else logs it: histories with every kind of number, tags, files, data, and a model with a name.

Prints what a reader of it must find: the run, its histories, and what the model answers, bit by bit.
"""

from __future__ import annotations

import json
import math
import sys

import lightgbm
import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric

columns, name = json.loads(sys.argv[1]), sys.argv[2]
dice = np.random.default_rng(3)
rows = pd.DataFrame(dice.normal(size=(400, len(columns))), columns=columns)
labels = (rows[columns[0]] + dice.normal(size=400) > 0).astype(int)
client = MlflowClient()
mlflow.set_experiment("elsewhere / ß")
with mlflow.start_run(run_name="by hand", tags={"team": "returns", "a b": "x%y"}) as run:
    mlflow.log_params({"num_leaves": 7, "note": "é" * 500})
    points = [Metric("auc", 0.5 + step / 1e4, 1_700_000_000_000 + step, step) for step in range(1500)]
    odd = [Metric("odd", value, 1_700_000_000_000, step) for step, value in enumerate([math.inf, -math.inf, 1e-300])]
    for at in range(0, len(points), 1000):
        client.log_batch(run.info.run_id, metrics=points[at : at + 1000])
    client.log_batch(run.info.run_id, metrics=odd)
    mlflow.log_text("one\ntwo\n", "notes/deep/words ü.txt")
    mlflow.log_text("", "empty.txt")
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "num_leaves": 7, "seed": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, labels), 15)
    info = mlflow.lightgbm.log_model(
        booster,
        name="model",
        signature=mlflow.models.infer_signature(rows, booster.predict(rows)),
        pip_requirements=["lightgbm"],
        registered_model_name=name,
    )
version = client.get_latest_versions(name)[0].version if hasattr(client, "get_latest_versions") else "1"
client.set_registered_model_alias(name, "best", version)
histories = {}
for metric in ("auc", "odd"):
    points = client.get_metric_history(run.info.run_id, metric)
    histories[metric] = [(point.step, point.timestamp, float(point.value).hex()) for point in points]
some = np.round(dice.normal(size=(64, len(columns))), 3)
said = [float(one).hex() for one in booster.predict(pd.DataFrame(some, columns=columns))]
print(json.dumps({"run": run.info.run_id, "histories": histories, "rows": some.tolist(), "said": said}))
