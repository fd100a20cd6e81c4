"""Adult census income: log loss of gradient-boosted trees that ours tuned, beside the published ones.

Protocol, files and sources: those of ``adult.py`` beside this. An eighth of ``adult.data``, chosen by seed, judges the
trials of a search (``dt.Tune``: every setting by our own search space and seed, pruned by the median, each trial on the
other seven eighths) and says when to stop; then the model is fitted on all of it as was found best, with as many
rounds. ``adult.test`` is asked once. catboost/benchmarks tunes by 50 trials of hyperopt and five
folds: LightGBM comes to .2760 there, XGBoost to .2754, CatBoost to .2697.

    python benchmarks/quality/adult_tuned.py [--trials N] [--trainers LightGBM CatBoost …]

CatBoost is found where ``catboost`` and ``pandas`` can be imported, for example from a folder of their own:
``pip install --target FOLDER catboost pandas`` and ``PYTHONPATH=FOLDER``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from adult import FEATURES, SEED, labels_of, people

import drivetrain as dt
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import FitTask
from drivetrain.features.encoding import encode, schema_of
from drivetrain.train.score import score
from drivetrain.train.tuning.search import search

PUBLISHED = {"LightGBM": 0.2760, "XGBoost": 0.2754, "CatBoost": 0.2697}
NEEDS = {"LightGBM": "lightgbm", "XGBoost": "xgboost", "CatBoost": "catboost"}
TRAINERS = {
    "LightGBM": dt.LightGBM(max_bin=255, learning_rate=0.03),
    "XGBoost": dt.XGBoost(max_bin=255, learning_rate=0.03),
    "CatBoost": dt.CatBoost(learning_rate=0.05),
}


def tuned(name: str, trials: int, rows: np.ndarray, labels: np.ndarray, schema: object) -> tuple[object, dict]:
    """The model of all rows, and what the search came to."""
    aside = np.random.default_rng(SEED).random(len(labels)) < 0.125
    task = FitTask(
        rows=rows[~aside], labels=labels[~aside], valid_rows=rows[aside], valid_labels=labels[aside], schema=schema,
        parameters={}, seed=SEED, threads=1, metric="log_loss",
    )  # fmt: skip
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="bench-tune-") as folder:
        storage = Path(folder) / "trials.jsonl"
        asked = dt.Tune(trials=trials, rows=len(labels))
        found = search(TRAINERS[name], task, asked, storage=storage, progress=Silent())
    stopped = TRAINERS[name].fit(FitTask(**{**fields_of(task), "parameters": found.parameters})).parameters()
    whole = FitTask(rows=rows, labels=labels, schema=schema, parameters=stopped, seed=SEED, threads=1)
    model = TRAINERS[name].fit(whole)
    best = found.trials[found.tuning.chosen].value
    told = {"valid": best, "seconds": time.process_time() - began, "parameters": stopped}
    told["pruned"] = sum(trial.state == "pruned" for trial in found.trials)
    return model, told


def fields_of(task: FitTask) -> dict:
    return {name: getattr(task, name) for name in task.__struct_fields__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--trainers", nargs="+", default=list(TRAINERS), choices=list(TRAINERS))
    asked = parser.parse_args()
    teach, judge = people()
    schema = schema_of(teach, FEATURES)
    rows, labels = encode(teach, schema), labels_of(teach)
    asked_rows, truth = encode(judge, schema), labels_of(judge)
    for name in asked.trainers:
        if not find_spec(NEEDS[name]):
            print(f"{name}: not installed here")
            continue
        model, told = tuned(name, asked.trials, rows, labels, schema)
        said = np.asarray(model.predict(asked_rows))
        loss, auc = score("log_loss", truth, said), score("roc_auc", truth, said)
        print(
            f"{name}: log loss {loss:.4f} (published, tuned: {PUBLISHED[name]:.4f}, {loss - PUBLISHED[name]:+.4f}), "
            f"ROC AUC {auc:.4f}; {asked.trials} trials, {told['pruned']} pruned, {told['seconds']:.0f} CPU-s; "
            f"{told['valid']:.4f} on the rows that chose; {told['parameters']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
