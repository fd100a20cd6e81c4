"""Engines beside the libraries they serve: one row and sixty-four, one thread, every answer compared.

Run: ``python benchmarks/engine.py [--trees 200] [--leaves 63] [--features 30] [--rounds 7]``

Each figure is the median over rounds of the mean of a burst of calls; ratios are to the library's own call.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lightgbm
import numpy as np
import skops.io

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Field, InputSchema
from drivetrain.train.trainers import LightGBM, Sklearn

MANY = 64


def clock(call: Callable[[], object], rounds: int, seconds: float = 0.1) -> float:
    """Microseconds a call."""
    call()
    begun = time.perf_counter()
    call()
    burst = max(3, int(seconds / (time.perf_counter() - begun + 1e-9)))
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(burst):
            call()
        found.append((time.perf_counter() - begun) / burst * 1e6)
    return statistics.median(found)


def make_task(rows: int, features: int) -> FitTask:
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(rows, features))
    labels = (matrix[:, :5].sum(axis=1) + chance.normal(size=rows) * 2 > 0).astype(float)
    matrix[chance.random(matrix.shape) < 0.05] = np.nan
    schema = InputSchema(tuple(Field(f"f{at}") for at in range(features)))
    return FitTask(rows=matrix, labels=labels, schema=schema, parameters={}, seed=0, threads=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("trees", 200), ("leaves", 63), ("features", 30), ("rows", 20_000), ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    task = make_task(asked.rows, asked.features)
    rows = np.ascontiguousarray(task.rows[:MANY])
    one, row = rows[:1], rows[0].tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trainer = LightGBM(num_iterations=asked.trees, num_leaves=asked.leaves, min_data_in_leaf=20)
        trainer.fit(task).save(folder)
        Sklearn("logistic_regression").fit(task).save(folder)
        booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
        pipeline = skops.io.load(folder / "model.skops", trusted=["numpy.dtype"])
        trees = plugins.load("engine", "lightgbm")(folder / "model.txt", task.schema)
        graph = plugins.load("engine", "onnx")(folder / "model.onnx", task.schema)
    ask = partial(booster.predict, num_threads=1)
    peer = ask(task.rows)
    exact = np.array_equal(trees.predict(task.rows), peer)
    exact &= [trees.predict_row(each) for each in task.rows[:500].tolist()] == peer[:500].tolist()
    parity = float(np.max(np.abs(graph.predict(task.rows) - pipeline.predict_proba(task.rows)[:, 1])))
    cases: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        ("Booster.predict, one thread", lambda: ask(one), lambda: ask(rows)),
        ("drivetrain lightgbm engine", lambda: trees.predict_row(row), lambda: trees.predict(rows)),
        ("Pipeline.predict_proba", lambda: pipeline.predict_proba(one), lambda: pipeline.predict_proba(rows)),
        ("drivetrain onnx engine", lambda: graph.predict_row(row), lambda: graph.predict(rows)),
    ]  # fmt: skip
    print(f"{asked.trees} trees x {asked.leaves} leaves x {asked.features} features; logistic regression pipeline")
    print(f"{'':30}{'1 row':>12}{'ratio':>8}{f'{MANY} rows':>12}{'ratio':>8}")
    library = (1.0, 1.0)
    for at, (label, single, batch) in enumerate(cases):
        took = (clock(single, asked.rounds), clock(batch, asked.rounds))
        library = took if at % 2 == 0 else library
        ratios = [base / each for base, each in zip(library, took, strict=True)]
        print(f"{label:30}{took[0]:>9.1f} us{ratios[0]:>7.1f}x{took[1]:>9.1f} us{ratios[1]:>7.1f}x")
    print(f"lightgbm answers bit for bit: {exact}; onnx differs by at most {parity:.1e} on {asked.rows:,} rows")


if __name__ == "__main__":
    main()
