"""The project that ``docs/serving.md`` speaks of, as small as it goes."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from drivetrain.loop.project import Project

PROJECT = """
import polars as pl

import drivetrain as dt

project = dt.Project("flights", objective="Warn passengers", metric="roc_auc")
flights = project.source(
    "flights",
    dt.files("raw/*.csv"),
    key="flight_id",
    time="sched",
    available="landed",
    contract=dt.Contract({"sched": dt.Column("time"), "landed": dt.Column("time"), "delay": dt.Column("int")}),
)


@project.request_features(inputs={"carrier": "string"})
def ticket(request: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col("carrier")]


late = project.model(
    "late",
    label=dt.label(flights, pl.col("delay") >= 15),
    features=[ticket],
    trainer=dt.LightGBM(),
    split=dt.TimeSplit(test="30d", valid="10d"),
)
project.endpoint("late", model=late)
"""


def make_flights(folder: Path) -> Path:
    """A project with a champion, and a file of flights to score."""
    dice = random.Random(1)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "flight_id": f"f{number}",
            "carrier": (carrier := dice.choice(["AA", "UA"])),
            "sched": begin + timedelta(hours=2 * number),
            "landed": begin + timedelta(hours=2 * number + 3),
            "delay": 20 if dice.random() < (0.7 if carrier == "UA" else 0.2) else 0,
        }
        for number in range(1000)
    ]
    (folder / "raw").mkdir(parents=True)
    pl.DataFrame(rows).write_csv(folder / "raw" / "flights.csv")
    pl.DataFrame(rows[:50]).select("flight_id", "carrier").write_parquet(folder / "flights.parquet")
    (folder / "project.py").write_text(PROJECT)
    project = Project.load(folder)
    project.run(at="2026-04-01")
    project.store.close()
    return folder
