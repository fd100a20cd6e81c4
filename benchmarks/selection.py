"""What choosing features costs beside the fit that follows: 6,000 rows, 24 features of which eight say something.

    python benchmarks/selection.py [--rows 6000] [--features 24]

Beside the CPU time of each way, how many of the features that say something were kept, and how many of the others. The
fit is that of the model as it is declared: LightGBM, stopped early by the validation rows, and once more on all rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.progress import Silent
from drivetrain.core.protocols import FitTask
from drivetrain.train.rows import TrainingRows
from drivetrain.train.select import ROUNDS, Select
from drivetrain.train.selection.choose import choose
from drivetrain.train.split import TimeSplit
from drivetrain.train.trainers import LightGBM

AS_OF = micros_of("2026-01-01")
DAYS = 300
TELL = 8


def rows_of(rows: int, features: int) -> TrainingRows:
    """A training set in which the first features say something."""
    chance = np.random.default_rng(1)
    values = chance.normal(size=(rows, features))
    margin = values[:, :TELL] @ np.linspace(1.0, 0.2, TELL) - 1
    at = AS_OF - DAYS * DAY + np.sort(chance.integers(0, DAYS * DAY, rows))
    names = [f"f{number}" for number in range(features)]
    frame = pl.DataFrame(dict(zip(names, values.T, strict=True))).with_columns(
        _entity=pl.int_range(rows).cast(pl.String),
        _at=pl.Series(at).cast(pl.Datetime("us", "UTC")),
        _label=pl.Series((chance.random(rows) < 1 / (1 + np.exp(-margin))).astype(float)),
        _label_at=pl.Series(at + 6 * HOUR).cast(pl.Datetime("us", "UTC")),
    )
    return TrainingRows.cut(frame, names, TimeSplit(test="30d", valid="30d"), AS_OF, needs_valid=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6_000)
    parser.add_argument("--features", type=int, default=24)
    options = parser.parse_args()
    data = rows_of(options.rows, options.features)
    lesson = data.lesson()
    task = FitTask(
        rows=lesson.rows, labels=lesson.labels, schema=lesson.schema, parameters={}, seed=0, threads=1,
        metric="average_precision",
    )  # fmt: skip
    trainer = LightGBM()
    trainer.fit(data.judged(task))  # loads what is loaded once
    begun = time.process_time()
    stopped = trainer.fit(data.judged(task))
    trainer.fit(FitTask(**{name: getattr(task, name) for name in task.__struct_fields__} | {
        "parameters": stopped.parameters()}))  # fmt: skip
    own = time.process_time() - begun
    print(f"{'the fit':18} {own:7.2f} CPU-s")
    with tempfile.TemporaryDirectory() as folder:
        for by in ROUNDS:
            begun = time.process_time()
            found = choose(
                data, trainer, task, Select(by=by), storage=Path(folder) / by, progress=Silent(), words=by
            )  # fmt: skip
            spent = time.process_time() - begun
            told = sum(int(name[1:]) < TELL for name in found.kept)
            print(
                f"{by:18} {spent:7.2f} CPU-s  {spent / own:6.1f} × the fit  kept {told} of {TELL} that say something, "
                f"{len(found.kept) - told} of {options.features - TELL} others"
            )


if __name__ == "__main__":
    main()
