"""The seam between a source and the place its rows come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl

from drivetrain.core.hashing import Digest


class Unreadable(msgspec.Struct, frozen=True):
    """A raw row that could not be read at all."""

    line: int
    """Where it is: line of the file, counted from 1."""
    reason: str
    text: str
    """The row as it came."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are ingested together, and the cursor once they are in."""

    rows: pl.DataFrame
    cursor: str
    """JSON text of the reader's own: what has been read when this batch is in."""
    origin: str
    """Where the rows come from, for people and for quarantine."""
    unreadable: tuple[Unreadable, ...] = ()
    again: bool = False
    """Whether this origin was read before, so that what it left in quarantine is out of date."""
    readmitted: tuple[str, ...] = ()
    """Names of rows of the quarantine that these are, brought back."""
    prepared: bool = False
    """Whether the rows have been through the source's ``prepare`` already."""
    before: int = 0
    """Rows of the same delivery in the batches before this one."""
    more: bool = False
    """Whether more of the same delivery follows: it is too large for one batch."""


class Reader(Protocol):
    """Reads raw rows, a bounded batch at a time, from where a cursor says it stopped. A frozen record of settings."""

    @property
    def digest(self) -> Digest:
        """Digest of what it reads and how."""
        ...

    @property
    def words(self) -> str:
        """What it reads, for people."""
        ...

    def fingerprint(self, folder: Path) -> Digest:
        """A digest that changes whenever there may be something new; cheap.

        Raises:
            SourceError: The place is not there.
        """
        ...

    def pending(self, folder: Path, cursor: str) -> str | None:
        """What :meth:`read` would read, in words; none if nothing. Raises as :meth:`fingerprint`."""
        ...

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:
        """Batches not read yet, in order.

        Args:
            folder: The project folder, which relative places are relative to.
            cursor: Of the last batch that was kept; empty at first.

        Raises:
            SourceError: A place is not there or can't be read; the message names it. Batches before it stand.
        """
        ...
