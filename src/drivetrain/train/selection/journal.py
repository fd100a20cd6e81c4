"""What a selection has found so far, round by round, in a file: a run that was killed does not begin anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import Digest


class Round(msgspec.Struct, frozen=True):
    """One round, and what it found."""

    search: Digest
    """Of the selection it belongs to."""
    name: str
    values: list[float]


class Rounds:
    """The rounds of one selection; one run, one writer: the loop's lease sees to it.

    Args:
        path: The file; it and its folder are made when there is something to keep.
        search: Digest of everything that a round's values follow from, but for its name.
    """

    def __init__(self, path: Path, search: Digest) -> None:
        self._path = path
        self._search = search
        self._known = {one.name: one.values for one in self._read() if one.search == search}

    def __call__(self, name: str, make: Callable[[], list[float]]) -> list[float]:
        """A round's values: as they were kept, or as they are made now, and then on disk.

        Raises:
            StoreError: The file can't be written.
        """
        if name in self._known:
            return self._known[name]
        values = self._known[name] = make()
        line = msgspec.json.encode(Round(self._search, name, values)) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self._path} can't be written: {error.strerror}", do="Free some space") from error
        return values

    def _read(self) -> list[Round]:
        """Rounds that were finished; a torn last line is cut off."""
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        try:
            found = [msgspec.json.decode(line, type=Round) for line in whole.splitlines()]
        except msgspec.DecodeError as error:
            raise StoreError(f"{self._path} is damaged: {error}", do="Delete it; selection then begins anew") from None
        if len(whole) < len(data):
            os.truncate(self._path, len(whole))
        return found
