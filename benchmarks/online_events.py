"""What the benchmarks of online rows have in common: seeded events, views over them, and a store that they fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import polars as pl

from drivetrain.core.protocols import OnlineStore
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.features.aggregate import Aggregate, count, last, max, mean, std, sum
from drivetrain.features.entity import Entity
from drivetrain.features.view import FeatureView

DAY = 86_400_000_000
WINDOWS = ["1d", "7d", "30d"]
ASKED = [mean("x", windows=WINDOWS), count(windows=WINDOWS), sum("y", windows=WINDOWS), last("x")]
MIXED = [mean("x", windows=WINDOWS), max("y", windows=WINDOWS), std("x", windows=["30d", "7d"]), last("x"), last("y")]
UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class Source:
    """The part of a source that views and pushes read."""

    name: str = "events"
    key: tuple[str, ...] = ("event_id",)
    time: str | None = "_event_time"
    available: str | None = "_available_at"
    delay: int = 0
    contract: Contract = field(
        default_factory=lambda: Contract(
            {"entity": Column("string"), "x": Column("float"), "y": Column("float", low=0)}
        )
    )


class Tables:
    """Versions of one table in memory."""

    def __init__(self) -> None:
        self.versions: list[pl.DataFrame] = []

    def scan(self, _name: str, version: int) -> pl.LazyFrame:
        """Rows of a version."""
        return self.versions[version].lazy()

    def rows(self, _name: str, version: int) -> int:
        """How many they are."""
        return len(self.versions[version])


def view(name: str, features: list[Aggregate], ttl: int | None = 60 * DAY) -> FeatureView:
    """A view of the events' entities."""
    return FeatureView(name=name, entity=Entity("entity", "entity"), source=Source(), features=features, ttl=ttl)


def store(online: OnlineStore) -> SimpleNamespace:
    """What a materialisation needs: tables, and where online rows go."""
    return SimpleNamespace(tables=Tables(), online=online)


def events(random: np.random.Generator, entities: np.ndarray, first: int, days: tuple[float, float]) -> pl.DataFrame:
    """Events of these entities, in order of time, known up to four hours later."""
    many = len(entities)
    moments = np.sort(random.integers(int(days[0] * DAY), int(days[1] * DAY), many))
    return pl.DataFrame(
        {
            "event_id": np.arange(first, first + many),
            "entity": entities,
            "x": random.integers(-50, 200, many).astype(float),
            "y": np.round(random.lognormal(3, 1, many), 2),
            "_event_time": moments,
            "_available_at": moments + random.integers(0, DAY // 6, many),
            "_seq": np.arange(first, first + many),
        }
    ).with_columns(pl.col("_event_time", "_available_at").cast(UTC), pl.format("N{}", "entity").alias("entity"))
