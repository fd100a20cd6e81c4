"""Projects whose models tell other things than a yes or no, on real data that scikit-learn brings along."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes, load_digits
from tests.loop.shop import free_port

from drivetrain.core.clock import DAY, micros_of
from drivetrain.loop.project import Project

BEGIN = micros_of("2026-01-01")
DAYS = 100

PROJECT = """
import polars as pl

import drivetrain as dt

project = dt.Project("answers", objective="Tell what comes"{metric})
rows = project.source("rows", dt.files("raw/*.parquet"), key="row_id", time="seen")
INPUTS = {inputs}


@project.request_features(inputs=INPUTS)
def seen(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(name) for name in INPUTS]


model = project.model(
    "{name}",
    label=dt.label(rows, {label}),
    features=[seen],
    trainer={trainer},
    split=dt.TimeSplit(test="25d", valid="25d"),
    baselines={{"naive": dt.Naive()}},
    gates=[{gates}],
    {more}
)
project.endpoint("{name}", model=model)
project.monitor("{name}")
"""


@dataclass(frozen=True)
class Told:
    """A project of one model."""

    name: str
    frame: pl.DataFrame
    label: str
    trainer: str = "dt.LightGBM(num_iterations=20, num_leaves=12, min_data_in_leaf=5, learning_rate=0.2)"
    gates: str = "dt.Gate.beats_baselines()"
    more: str = ""
    metric: str = ""

    def write(self, folder: Path) -> Path:
        """Makes the project's folder."""
        (folder / "raw").mkdir(parents=True)
        self.frame.write_parquet(folder / "raw" / "rows.parquet")
        types = {
            name: "float" if dtype.is_numeric() else "string"
            for name, dtype in self.frame.schema.items()
            if name.startswith("x")
        }
        words = {name: getattr(self, name) for name in ("name", "label", "trainer", "gates", "more")}
        metric = f", metric={self.metric!r}" if self.metric else ""
        (folder / "project.py").write_text(PROJECT.format(inputs=types, metric=metric, **words))
        (folder / "drivetrain.toml").write_text(
            f"[serve]\nport = {free_port()}\nallow_at = true\n[web]\nport = {free_port()}\n[compute]\nthreads = 1\n"
        )
        return folder

    def run(self, folder: Path) -> Project:
        """Makes the project, and runs it."""
        project = Project.load(self.write(folder))
        assert project.run().refused == ()
        return project

    def but(self, **changes: object) -> Told:
        return replace(self, **changes)


def frame_of(rows: np.ndarray, **columns: object) -> pl.DataFrame:
    """Rows over a hundred days, in an order that says nothing."""
    order = np.random.default_rng(0).permutation(len(rows))
    at = BEGIN + (np.arange(len(rows)) * DAYS * DAY) // len(rows)
    return pl.DataFrame(
        {
            "row_id": [f"r{number:05d}" for number in range(len(rows))],
            "seen": pl.Series(at).cast(pl.Datetime("us", "UTC")),
            **{f"x{at:02d}": rows[order, at] for at in range(rows.shape[1])},
            **{name: pl.Series(np.asarray(values)[order].tolist()) for name, values in columns.items()},
        }
    )


def digits() -> Told:
    """Which digit was written (Alpaydin and Kaynak, 1998): text."""
    rows, digit = load_digits(return_X_y=True)
    return Told("digit", frame_of(rows, digit=digit.astype(str)), 'pl.col("digit")')


def diabetes() -> Told:
    """How far a disease has come after a year (Efron et al., 2004): a number."""
    rows, progress = load_diabetes(return_X_y=True)
    return Told("progress", frame_of(rows, progress=progress), 'pl.col("progress")')


def strokes() -> Told:
    """Which strokes a digit has: any of three."""
    rows, digit = load_digits(return_X_y=True)
    named = [("round", "0689"), ("straight", "147"), ("bent", "2357")]
    held = np.array([",".join(name for name, which in named if str(each) in which) for each in digit])
    frame = frame_of(rows, strokes=held).with_columns(pl.col("strokes"))
    return Told("strokes", frame, 'pl.col("strokes").str.split(",")')


def offers() -> Told:
    """Which of five offers a customer likes best: seeded."""
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(2_000, 4))
    score = rows[:, 0] + 0.6 * rows[:, 1] * rows[:, 2] + chance.normal(0, 0.5, 2_000)
    at = BEGIN + (np.arange(2_000) // 5 * 5 * DAYS * DAY) // 2_000
    frame = pl.DataFrame(
        {
            "row_id": [f"r{number:05d}" for number in range(2_000)],
            "seen": pl.Series(at).cast(pl.Datetime("us", "UTC")),
            **{f"x{at}": rows[:, at] for at in range(4)},
            "liked": np.digitize(score, [0.3, 1.0, 1.8]),
            "visit": np.arange(2_000) // 5,
        }
    )
    label = 'pl.col("liked"), kind="ranking", group="visit"'
    return Told("offers", frame, label, trainer="dt.LightGBM(num_iterations=40)")
