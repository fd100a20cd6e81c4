"""Scoring a file beside the bare engine: read, predict in one thread, write, and nothing else.

Run: ``python benchmarks/batch_scoring.py [--rows 500000] [--trees 200] [--leaves 63] [--features 30] [--repeat 3]``

The bare engine reads the Parquet file, makes one float64 matrix of its columns, asks the engine once for all rows and
writes the rows with their predictions. Ours is ``Project.predict_batch`` on the same file: batches, checks of every
value, features of the request, encoding, checks of every prediction, and an output that is whole or not there. Each
run has a process of its own; the clocks start when the model is loaded and the libraries are.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from drivetrain.core import plugins
from drivetrain.core.clock import now
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Alias, Artifact, Field, GateReport, InputSchema, ModelVersion
from drivetrain.loop.project import Project
from drivetrain.train.trainers import LightGBM
from measure import Cost, apart, here, table

BUDGET = 1.2
MODEL = "model.txt"
PROJECT = """
import polars as pl
import drivetrain as dt

NAMES = [f"f{at}" for at in range(__FEATURES__)]
project = dt.Project("scoring")
rows = project.source("rows", dt.files("raw/*.parquet"), key="id", time="time")

@project.request_features(inputs=dict.fromkeys(NAMES, "float"))
def given(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(name) for name in NAMES]

model = project.model("scored", label=dt.label(rows, pl.col("y") > 0), features=[given], trainer=dt.LightGBM(),
                      split=dt.TimeSplit(test="30d", valid="21d"))
project.endpoint("scored", model=model)
"""


def make(folder: Path, rows: int, trees: int, leaves: int, features: int) -> None:
    """A project with a champion, and a file to score."""
    (folder / "project.py").write_text(PROJECT.replace("__FEATURES__", str(features)))
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(rows, features))
    learned = matrix[:20_000]
    labels = (learned[:, :5].sum(axis=1) + chance.normal(size=len(learned)) * 2 > 0).astype(float)
    schema = InputSchema(tuple(Field(f"given.f{at}") for at in range(features)))
    task = FitTask(rows=learned, labels=labels, schema=schema, parameters={}, seed=0, threads=2)
    LightGBM(num_iterations=trees, num_leaves=leaves, min_data_in_leaf=20).fit(task).save(folder)
    project = Project.load(folder)
    data = (folder / MODEL).read_bytes()
    artifact = Artifact(MODEL, "lightgbm", project.store.blobs.put(data), len(data))
    definitions = project.find_model(None).definitions
    version = ModelVersion(
        model="scored", version=1, run_id="run", artifacts=(artifact,), engine="lightgbm", input_schema=schema,
        features=definitions, training_set="table:training@1", gates=GateReport((), now()), at=now(),
    )  # fmt: skip
    project.store.catalog.commit(version, Alias(model="scored", alias="champion", version=1, at=now()))
    project.store.close()
    frame = pl.DataFrame(
        {"id": [f"row {at}" for at in range(rows)], **{f"f{at}": matrix[:, at] for at in range(features)}}
    )
    frame.write_parquet(folder / "s.parquet")


def bare(folder: Path) -> Cost:
    """One engine, one matrix, one call."""
    names = [name for name in pl.read_parquet_schema(folder / "s.parquet") if name != "id"]
    engine = plugins.load("engine", "lightgbm")(folder / MODEL, InputSchema(tuple(map(Field, names))))

    def work() -> float:
        frame = pl.read_parquet(folder / "s.parquet")
        answers = engine.predict(np.ascontiguousarray(frame.select(names).to_numpy()))
        frame.with_columns(prediction=answers).write_parquet(folder / "bare.parquet")
        return float(answers.sum())

    return here("bare engine", work)


def ours(folder: Path) -> Cost:
    """The project's own way."""
    project = Project.load(folder)
    _ = project.store

    def work() -> float:
        project.predict_batch(None, folder / "s.parquet", folder / "p.parquet")
        return 0.0

    return here("drivetrain", work)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 500_000), ("trees", 200), ("leaves", 63), ("features", 30), ("repeat", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--run", choices=("bare", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        (bare if asked.run == "bare" else ours)(asked.folder)
        return
    os.environ["OMP_WAIT_POLICY"] = "passive"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, asked.rows, asked.trees, asked.leaves, asked.features)
        found: dict[str, list[Cost]] = {"bare": [], "ours": []}
        for _ in range(asked.repeat):
            for run, costs in found.items():
                costs.append(apart(sys.executable, [__file__, "--run", run, "--folder", str(folder)], run))
        scored = pl.read_parquet(folder / "p.parquet", columns=["id", "prediction"])
        equal = scored.equals(pl.read_parquet(folder / "bare.parquet", columns=["id", "prediction"]))
    wall = [min(cost.wall for cost in costs) for costs in found.values()]
    least = [min(costs, key=lambda cost: cost.cpu) for costs in found.values()]
    print(
        f"{asked.rows:,} rows x {asked.features} features, {asked.trees} trees x {asked.leaves} leaves; "
        f"least of {asked.repeat} runs each, in turns"
    )
    table(least)
    print(f"equal bit for bit: {equal}; {asked.rows / wall[1]:,.0f} rows a second")
    print(
        f"beside the bare engine: {wall[1] / wall[0]:.2f} times the wall time, "
        f"{least[1].cpu / least[0].cpu:.2f} times the CPU time (budget {BUDGET})"
    )


if __name__ == "__main__":
    main()
