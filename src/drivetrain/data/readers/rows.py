"""Rows from a Python function: whatever can be written in Python can be a source."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import polars as pl

from drivetrain.core.errors import DrivetrainError, ProjectError, SourceError
from drivetrain.core.hashing import Digest, code_digest, digest
from drivetrain.data.reader import Batch
from drivetrain.data.readers.columns import frame_of_rows
from drivetrain.data.readers.sweep import Sweep, short_digest

Given: TypeAlias = "Mapping[str, Any] | pl.DataFrame | Iterable[Mapping[str, Any]]"
Function: TypeAlias = Callable[[Any], Iterable[Given]]
BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Rows:
    """A function; see :func:`rows`."""

    function: Function
    cursor: str | None = None
    fresh: Callable[[], object] | None = None
    batch_rows: int = BATCH_ROWS

    @cached_property
    def digest(self) -> Digest:
        """Digest of the function's code, or of what it says of itself."""
        said = getattr(self.function, "digest", None)
        return digest(["rows", said or code_digest(self.function), self.cursor])

    @property
    def words(self) -> str:
        """What it reads, for people."""
        return f"rows of {getattr(self.function, '__name__', 'a function')}"

    def fingerprint(self, folder: Path) -> Digest:  # noqa: ARG002 - the function knows where it reads
        """Digest of what ``fresh`` returns; without it a new one every time, as only the function itself can tell."""
        return digest(["rows", repr(self._called(self.fresh)) if self.fresh else time.time_ns()])

    def pending(self, folder: Path, cursor: str) -> str | None:  # noqa: ARG002 - as above
        """Whether the function gives a row that was not seen."""
        sweep = Sweep.of(cursor)
        for part in self._parts(sweep):
            if self.cursor is None:
                if short_digest(part) not in sweep.pages:
                    return "new rows"
            elif unseen := len(sweep.unseen(part, self.cursor)):
                return f"{unseen} or more new rows"
        return None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:  # noqa: ARG002 - as above
        """Batches of what the function gives and was not seen before.

        Raises:
            SourceError: The function failed, or gives what are no rows.
        """
        sweep = Sweep.of(cursor)
        before, known = sweep, set(sweep.pages)
        passed, pages = "", list[str]()
        held: list[dict[str, Any]] | None = None
        for part in self._parts(sweep):
            if held:
                passed = short_digest([passed, held])
                yield self._batch(held, msgspec.structs.replace(before, part=passed))
            sweep = sweep.after(part, self.cursor)
            held = sweep.unseen(part, self.cursor)
            if self.cursor is None:
                pages.append(short_digest(part))
                held = [] if pages[-1] in known else held
        if held:
            yield self._batch(held, sweep.ended(pages))
        elif passed:
            yield Batch(rows=pl.DataFrame(), cursor=sweep.ended(pages).cursor, origin=self.words)

    def _batch(self, rows: list[dict[str, Any]], after: Sweep) -> Batch:
        return Batch(rows=frame_of_rows(rows), cursor=after.cursor, origin=self.words)

    def _parts(self, sweep: Sweep) -> Iterator[list[dict[str, Any]]]:
        held: list[dict[str, Any]] = []
        given = iter(self._called(self.function, sweep.since))
        while (some := self._called(next, given, None)) is not None:
            held += self._listed(some)
            while len(held) >= self.batch_rows:
                yield held[: self.batch_rows]
                held = held[self.batch_rows :]
        if held:
            yield held

    def _listed(self, some: object) -> list[dict[str, Any]]:
        if isinstance(some, pl.DataFrame):
            return some.to_dicts()
        if isinstance(some, Mapping):
            return [dict(some)]
        listed = list(some) if isinstance(some, Iterable) and not isinstance(some, str | bytes) else [some]
        made = [dict(one) for one in listed if isinstance(one, Mapping)]
        if len(made) < len(listed):
            raise SourceError(
                f"{self.words}: it gives what is no row",
                found=next(type(one).__name__ for one in listed if not isinstance(one, Mapping)),
                expected="mappings of column to value, lists of them, or Polars frames",
            )
        return made

    def _called(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever it returns
        try:
            return function(*arguments)
        except DrivetrainError:
            raise
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise SourceError(
                f"{self.words}: it failed with {type(error).__name__}: {reason}", do="Mend the function"
            ) from error


def rows(
    function: Function,
    *,
    cursor: str | None = None,
    fresh: Callable[[], object] | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Rows:
    """Rows from a Python function.

    Args:
        function: ``function(since)`` → an iterable of mappings, lists of them or Polars frames: a generator, most
            often, or a dlt resource. ``since`` is the greatest value of the ``cursor`` column so far, as JSON holds it
            (moments as ISO 8601 text); ``None`` at first, and always where there is no cursor. A function that finds
            its place away raises :class:`~drivetrain.core.errors.SourceAway`, and is called again after a while.
        cursor: Column whose greatest value is handed to the function the next time. Rows may come in any order, and
            those with that very value may come again. Without one everything is asked for each time, and only parts
            that changed are taken in.
        fresh: Returns something cheap that changes whenever there is something new; without it each run calls the
            function.
        batch_rows: Rows that are committed together.

    Raises:
        ProjectError: A batch holds no rows.

    Example:
        >>> def sensors(since):
        ...     yield {"id": 1, "at": "2013-07-01T09:00:00Z", "value": 20.5}
        >>> rows(sensors, cursor="at").words
        'rows of sensors'
    """
    if batch_rows < 1:
        raise ProjectError("a batch holds rows", found=batch_rows, expected="1 or more")
    return Rows(function, cursor, fresh, batch_rows)
