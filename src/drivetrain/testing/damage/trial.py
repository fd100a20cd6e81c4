"""Whether damage is noticed: a project with a history, a damaged delivery, then a good one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.progress import Silent
from drivetrain.core.records import TableVersion
from drivetrain.data.ingest import ingest
from drivetrain.loop.project import Project
from drivetrain.testing.damage.kind import Caught, Delivery, Good, Kind


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery.

    Attributes:
        caught: In one word.
        words: The sentence it was refused with, or the reasons that were counted.
        delivered: Rows that came, where they were taken in.
        kept: Rows that were written.
        aside: Rows that were set aside.
        reasons: What was counted.
    """

    caught: Caught
    words: str
    delivered: int = 0
    kept: int = 0
    aside: int = 0
    reasons: Mapping[str, int] | None = None

    @property
    def accounted(self) -> bool:
        """Whether every row that came was kept, set aside or counted as left out."""
        rows = {reason: count for reason, count in (self.reasons or {}).items() if not reason.startswith("column ")}
        left_out = sum(count for reason, count in rows.items() if reason.endswith(": left out"))
        return self.delivered == self.kept + self.aside + left_out


def plant(kind: Kind, good: Good, seed: int) -> Delivery:
    """The damaged delivery; the same from the same seed, whatever other kinds there are."""
    return kind.plant(good, random.Random(f"{seed} {kind.name}"))  # noqa: S311 - plants damage, hides nothing


def deliver(project: Project, source: str, delivery: Delivery) -> list[Path]:
    """Puts a delivery's files where a project's source reads them: ``raw/SOURCE/``."""
    folder = project.folder / "raw" / source
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in delivery.files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in delivery.files]


def clear(paths: Iterable[Path]) -> None:
    """Takes a delivery's files away again."""
    for path in paths:
        path.unlink()


def take(project: Project, source: str, now: Micros) -> Outcome:
    """Takes in what a source has; what became of it.

    Raises:
        Exception: Whatever is no error that drivetrain raises on purpose.
    """
    store = project.store
    before = store.tables.version(source)
    try:
        made = ingest(
            store,
            project.sources[source],
            folder=project.folder,
            now=now,
            progress=Silent(),
            sources=project.sources,
        )
    except DrivetrainError as error:
        return Outcome("refused", str(error))
    if made.version == before:
        return Outcome("nothing", "there is no new version", reasons={})
    return _outcome(made)


def as_meant(project: Project, source: str, good: pl.DataFrame, key: list[str]) -> bool:
    """Whether a table holds the rows of a delivery as they were meant."""
    rows = project.store.tables.read(source)
    declared = {name: rows.schema[name] for name in good.columns}
    meant = good.with_columns(
        pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        if dtype.is_temporal()
        else pl.col(name).cast(dtype)
        for name, dtype in declared.items()
    ).sort(key)
    found = rows.join(meant.select(key), on=key, how="semi").select(good.columns).sort(key)
    return found.equals(meant)


def _outcome(made: TableVersion) -> Outcome:
    words = "; ".join(f"{reason} ({count:,})" for reason, count in made.reasons.items())
    caught: Caught = "set aside" if made.quarantined else ("counted" if made.reasons else "nothing")
    return Outcome(caught, words, made.delivered, made.added, made.quarantined, made.reasons)
