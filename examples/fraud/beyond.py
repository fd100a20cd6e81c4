"""What more features bring, group by group, over worlds of several seeds: the second table of ``README.md``.

``python examples/fraud/beyond.py`` lays out each world in a folder of its own, builds the features by the project's
definitions straight from its files, fits the project's trainer on the protocol's week, and judges it on the other.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import protocol
import world
from exact import feature_frame

from drivetrain.core.clock import micros_of
from drivetrain.core.protocols import FitTask
from drivetrain.features.encoding import encode, schema_of
from drivetrain.loop.model import Model
from drivetrain.loop.project import Project

HERE = Path(__file__).resolve().parent
THREADS = 2


def main() -> None:
    """Prints the gain over the fifteen features: of each group alone, and of all of them."""
    parser = argparse.ArgumentParser(description="What more features bring, on worlds of our own.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="which worlds (default 1 to 5)")
    options = parser.parse_args()
    models = Project.load(HERE).models
    runs = []
    for seed in options.seeds:
        began = time.perf_counter()
        runs.append(measured(models["fraud"], models["beyond"], seed))
        print(f"seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    print("\n| features |", " | ".join(protocol.MEASURES), "|")
    for name in runs[0]:
        base = np.array([run["the handbook's 15"] for run in runs])
        found = np.array([run[name] for run in runs])
        cells = told(found) if name == "the handbook's 15" else told(found - base, sign="+")
        print(f"| {name} |", " | ".join(cells), "|")


def measured(fraud: Model, beyond: Model, seed: int) -> dict[str, tuple[float, ...]]:
    """Features → what they come to on a world: the handbook's, those and each other group, and all."""
    weeks = protocol.HANDBOOK
    with tempfile.TemporaryDirectory() as folder:
        until = weeks.test_until + weeks.delay
        world.lay_out(Path(folder) / "raw", micros_of(until), world.Scale(seed=seed))
        rows = feature_frame(Path(folder), beyond, since=weeks.train_from, until=weeks.test_until)
    train, test = protocol.split(rows)
    first = fraud.feature_names()
    groups = {group.name: group.feature_names for group in beyond.features if group not in fraud.features}
    asked = {"the handbook's 15": first, **{f"and {name}": (*first, *more) for name, more in groups.items()}}
    asked["all of them"] = beyond.feature_names()
    return {name: judged(beyond, features, train, test) for name, features in asked.items()}


def judged(model: Model, features: Sequence[str], train: pl.DataFrame, test: pl.DataFrame) -> tuple[float, ...]:
    """The measures of the model's trainer on some of its features."""
    schema = schema_of(train, features)
    task = FitTask(
        rows=encode(train, schema),
        labels=train["fraud"].cast(pl.Float64).to_numpy(),
        schema=schema,
        parameters={},
        seed=model.seed,
        threads=THREADS,
    )
    said = np.asarray(model.trainer.fit(task).predict(encode(test, schema)))
    return tuple(protocol.measures(test, said).values())


def told(values: np.ndarray, sign: str = "") -> list[str]:
    """Mean and standard deviation over worlds, a cell each."""
    means = values.mean(axis=0)
    spreads = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(means), np.nan)
    return [f"{mean:{sign}.3f} ± {spread:.3f}" for mean, spread in zip(means, spreads, strict=True)]


if __name__ == "__main__":
    main()
