"""Runs told to a place of somebody else's: what is told, and what whoever tells it must do."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from drivetrain.core.records.metric import Metric


class Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is told elsewhere.

    Attributes:
        place: The project there.
        run_id: The run's id, which it has there too.
        name: ``late@3``.
        group: The model.
        config: Parameters, and what it was made with.
        tags: Words that it is found by.
        points: Every point of every metric.
        summary: The figures of its evaluation.
        files: Path → file, of what goes along.
    """

    place: str
    run_id: str
    name: str
    group: str
    config: dict[str, str]
    tags: tuple[str, ...] = ()
    points: tuple[Metric, ...] = ()
    summary: dict[str, float] = {}
    files: dict[str, str] = {}


class Mirror(Protocol):
    """Tells runs elsewhere; each is written down first, so that a place that is away costs nothing but time."""

    def write(self, run: Mirrored, folder: Path) -> None:
        """Writes a run down, whole, in the form that :meth:`send` sends.

        Args:
            run: The run.
            folder: An empty one.

        Raises:
            StoreError: It can't be written.
            MissingExtra: The library behind the place is not installed.
        """
        ...

    def send(self, folder: Path, seconds: float) -> str:
        """Sends what was written, within so many seconds.

        Returns:
            Why it was not sent, in a few words; empty where it was.
        """
        ...
