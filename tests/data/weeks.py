"""Weeks of real flights and weather, a delivery each; a project whose contracts were drafted from the first."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros, micros_of
from drivetrain.data.drafting.draft import as_python
from drivetrain.loop.project import Project
from drivetrain.testing.damage.kind import Good, Subject, csv_of
from drivetrain.testing.damage.trial import take

ARCHIVE = Path(__file__).parents[2] / "examples" / "flights" / "data"
BEGIN = datetime(2013, 1, 7, 5, tzinfo=UTC)
"""Midnight of a Monday in New York."""
HISTORY = 17
"""Weeks that contracts are drafted from: January to April."""
LAST = 51
"""The first week that the archive does not have whole."""
EVERY = 3
"""One flight of so many is delivered."""
KEYS: dict[Subject, list[str]] = {"flights": ["carrier", "flight", "time_hour"], "weather": ["origin", "time_hour"]}


@cache
def weeks(name: Subject, every: int = EVERY) -> list[pl.DataFrame]:
    """The deliveries of a source, every field as text."""
    rows = pl.read_parquet(ARCHIVE / f"{name}.parquet").with_columns(pl.all().cast(pl.String))
    rows = rows.gather_every(every if name == "flights" else 1)
    moment = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    numbered = rows.with_columns(week=(moment - BEGIN).dt.total_seconds() // (7 * 86_400))
    return [numbered.filter(week=week).drop("week") for week in range(LAST)]


def good(name: Subject, week: int) -> Good:
    """The delivery of a week."""
    other: Subject = "weather" if name == "flights" else "flights"
    return Good(f"week-{week:02}", weeks(name)[week], weeks(name)[week - 1], weeks(other)[week])


def end_of(week: int) -> Micros:
    """When a week's delivery arrives."""
    return micros_of(BEGIN + timedelta(days=7 * (week + 1)))


def lay_out(folder: Path, history: int = HISTORY, every: int = EVERY) -> Project:
    """A project that has taken in its history under the contracts drafted from it; raw files are cleared away."""
    bare, drafted = _HEAD, _HEAD
    for name, key in KEYS.items():
        (folder / "raw" / name).mkdir(parents=True)
        for week in range(history):
            (folder / "raw" / name / f"week-{week:02}.csv").write_bytes(csv_of(weeks(name, every)[week]))
        bare += _SOURCE.format(name=name, key=key, contract="")
    (folder / "project.py").write_text(bare)
    contracts = Project.load(folder).contracts
    for name, key in KEYS.items():
        draft = contracts.infer(name)
        assert tuple(key) in draft.keys, draft.keys
        assert draft.times == ("time_hour",)
        drafted += as_python(draft, name) + _SOURCE.format(name=name, key=key, contract=f", contract={name.upper()}")
    (folder / "project.py").write_text(drafted)
    project = Project.load(folder)
    for name in KEYS:
        told = take(project, name, end_of(history - 1))
        assert told.caught != "refused", told
        project.store.tables.compact(name)
    shutil.rmtree(folder / "raw")
    return project


_HEAD = """import polars as pl
import drivetrain as dt

project = dt.Project("nyc", objective="Know what left New York", metric="average_precision")
"""
_SOURCE = 'project.source("{name}", dt.files("raw/{name}/*"), key={key}, time="time_hour"{contract})\n'
