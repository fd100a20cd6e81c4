"""Finished trials in a file: one line each, on disk before the next begins."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Trial


class Entry(msgspec.Struct, frozen=True):
    """A finished trial, with what pruning and the sampler learn from."""

    trial: Trial
    steps: dict[int, float]
    """Iteration → reported value."""
    search: Digest
    """Of the search it belongs to."""


class Journal:
    """The trials of one search.

    Optuna's own journal keeps every report with an fsync of its own, is stuck for half a minute where it was killed
    while locked, and for good behind a torn line; this one needs neither lock (one run, one writer: the loop's lease
    sees to it) nor trial state that outlives the process.

    Args:
        path: The file; ``None`` keeps nothing.
        space: What is searched.
        seed: The search's seed.
        *more: What else makes the search what it is.
    """

    def __init__(self, path: Path | None, space: Mapping[str, Space], seed: int, *more: Sequence[object]) -> None:
        self._path = path
        self._trying = None if path is None else path.with_suffix(".trying")
        self._search = digest([dict(space), seed, *filter(None, more)])

    def read(self) -> list[Entry]:
        """Trials of this search that were finished, in order; a torn last line is cut off."""
        if self._path is None or not self._path.exists():
            return []
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            entries = [msgspec.json.decode(line, type=Entry) for line in whole.splitlines()]
        except msgspec.DecodeError as error:
            raise StoreError(f"{self._path} is damaged: {error}", do="Delete it; tuning then begins anew") from None
        if len(whole) < len(data):
            os.truncate(self._path, len(whole))
        return [entry for entry in entries if entry.search == self._search]

    def begin(self, number: int) -> int:
        """Notes that a trial begins; how often the process died in the middle of it.

        The note is written, not synced: it outlives the process, which is all it is for.
        """
        if self._trying is None:
            return 0
        died = 0
        with suppress(OSError, ValueError):
            search, trial, times = self._trying.read_text().split()
            died = int(times) if (search, int(trial)) == (self._search, number) else 0
        self._trying.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # a full disk is told of by whoever has a result to keep
            self._trying.write_text(f"{self._search} {number} {died + 1}")
        return died

    def end(self) -> None:
        """The trial is over, however it ended."""
        if self._trying is not None:
            self._trying.unlink(missing_ok=True)

    def add(self, trial: Trial, steps: Mapping[int, float]) -> Entry:
        """Keeps a finished trial; on disk when this returns.

        Raises:
            StoreError: The file can't be written.
        """
        entry = Entry(trial, dict(steps), self._search)
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("ab") as file:
                    file.write(msgspec.json.encode(entry) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise StoreError(f"{self._path} can't be written: {error.strerror}", do="Free some space") from error
        return entry
