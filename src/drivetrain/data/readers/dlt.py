"""Rows from any of dlt's sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from drivetrain.core import plugins
from drivetrain.core.hashing import Digest, code_digest, digest
from drivetrain.data.readers.rows import BATCH_ROWS, Rows


@dataclass(frozen=True)
class Resource:
    """One resource of a dlt source, as a function of the cursor."""

    factory: Callable[[], Any]
    name: str | None
    cursor: str | None

    def __call__(self, since: object) -> Iterable[Any]:
        """Its rows since a value of the cursor."""
        made: Iterable[Any] = plugins.load("resource", "dlt")(self.factory, self.name, self.cursor, since)
        return made

    @property
    def __name__(self) -> str:
        """What it is called, for people."""
        return self.name or str(getattr(self.factory, "__name__", "a dlt resource"))

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it gives."""
        return digest([code_digest(self.factory), self.name, self.cursor])


def dlt(
    factory: Callable[[], Any],
    *,
    name: str | None = None,
    cursor: str | None = None,
    fresh: Callable[[], object] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Rows:
    """Rows from a dlt source (``pip install "drivetrain[dlt]"``).

    Neither dlt's pipeline nor its destination has a part in it: the rows, and how far they were read, are committed to
    the source's table together. For a resource with a cursor, dlt's ``incremental`` is told where to begin.

    Args:
        factory: Makes the dlt source or resource, for example ``lambda: github_reactions("dlt-hub", "dlt")``.
        name: Of a source: which of its resources.
        cursor: Column that never falls from an older row to a newer one, in order of time.
        fresh: As for :func:`~drivetrain.data.readers.rows.rows`.
        batch_rows: Rows that are committed together.
    """
    return Rows(Resource(factory, name, cursor), cursor, fresh, batch_rows)
