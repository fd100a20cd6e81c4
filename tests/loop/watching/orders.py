"""A shop's orders, a file a day, that turn when they are told to; and a project that watches them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, Micros, micros_of
from drivetrain.loop.project import Project

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
START = micros_of("2026-03-02")
WEEKS = 9
TURN = START + 7 * WEEKS * DAY
Turn = Callable[[pl.DataFrame], pl.DataFrame]

PROJECT = """
import drivetrain as dt

project = dt.Project("shop", objective="Send orders in time")
orders = project.source(
    "orders",
    dt.files("raw/*.parquet"),
    key="order_id",
    time="at",
    contract=dt.Contract({
        "at": dt.Column("time"),
        "order_id": dt.Column("string"),
        "customer": dt.Column("string"),
        "email": dt.Column("string", nullable=True, privacy="personal"),
        "kind": dt.Column("string", nullable=True),
        "amount": dt.Column("float", nullable=True),
        "items": dt.Column("int", nullable=True, low=0),
    }),
)
customer = dt.Entity("customer", keys=["customer"])
history = project.feature_view("history", entity=customer, source=orders, ttl="30d", features=[
    dt.mean("amount", windows=["7d"]), dt.count(windows=["7d"]), dt.last("kind"),
])
project.watch_table(orders, window="7d"WATCH)
project.watch_features(history, window="7d", sample=400)
"""


def make(folder: Path, *, watch: str = "", features: bool = True) -> Path:
    """A folder with the project, without rows."""
    (folder / "raw").mkdir(parents=True)
    text = PROJECT.replace("WATCH", f", {watch}" if watch else "")
    if not features:
        text = text[: text.rindex("project.watch_features")]
    (folder / "project.py").write_text(text)
    return folder


def deliver(folder: Path, first: int, last: int, turn: Turn | None = None, a_day: int = 120) -> None:
    """Writes the files of days ``first`` to ``last`` - 1, turned if they are to be."""
    for day in range(first, last):
        rows = day_of(day, a_day)
        (rows if turn is None else turn(rows)).write_parquet(folder / "raw" / f"{day:03}.parquet")


def day_of(day: int, a_day: int = 120) -> pl.DataFrame:
    """One day's orders: a few more at weekends, half a hundredth without an amount."""
    dice = np.random.default_rng(day)
    many = a_day + (a_day // 4 if day % 7 >= 5 else 0) + int(dice.integers(-8, 9))
    at = [BEGIN + timedelta(days=day, seconds=int(second)) for second in np.sort(dice.integers(0, 86_400, many))]
    amount = np.round(dice.lognormal(3, 0.6, many), 2)
    customers = dice.integers(0, 150, many)
    return pl.DataFrame(
        {
            "order_id": [f"o{day}-{number}" for number in range(many)],
            "at": at,
            "customer": [f"c{number:03}" for number in customers],
            "email": [f"c{number:03}@example.org" for number in customers],
            "kind": dice.choice(["card", "cash", "invoice"], many, p=[0.6, 0.3, 0.1]),
            "amount": pl.Series(amount, dtype=pl.Float64).set(pl.Series(dice.random(many) < 0.005), None),
            "items": dice.poisson(2, many) + 1,
        }
    ).with_columns(pl.col("at").cast(pl.Datetime("us", "UTC")))


def taken(folder: Path, *, now: Micros | None = None) -> Project:
    """The project with what was delivered taken in, and looked at as of ``now``."""
    project = Project.load(folder)
    project.run(only="data")
    if now is not None:
        project.tick(now)
    return project
