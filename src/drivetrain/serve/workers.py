"""What every worker of the server tells the others: which versions it answers with, and its figures.

Each worker writes one small file that it replaces as a whole; any worker can then answer for all of them. A worker that
died leaves its figures behind, so that counts never go down while the server runs. Notes of a server that has ended are
swept away by the workers of the next.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from drivetrain.serve.telemetry import Snapshot

FOLDER = ".workers"

Versions = dict[str, dict[str, int | None]]
"""Endpoint → role → version; and ``policy`` → when the policy that is followed was set, microseconds."""


class Note(msgspec.Struct, frozen=True):
    """One worker's file."""

    pid: int
    server: int
    """Process id of the worker's parent; workers of one server share it."""
    versions: Versions
    snapshot: Snapshot = Snapshot()


_decode = msgspec.json.Decoder(Note).decode


class Workers:
    """The notes of a server's workers.

    Args:
        folder: The server's log folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._server = os.getppid()
        self._path = self._folder / f"{os.getpid()}.json"
        self._sweep()
        self._written = b""

    def tell(self, versions: Versions, snapshot: Snapshot) -> None:
        """Replaces this worker's note."""
        data = msgspec.json.encode(Note(os.getpid(), self._server, versions, snapshot))
        if data == self._written:
            return
        draft = self._path.with_suffix(".new")
        with suppress(OSError):  # a full disk must not stop serving; the note is written at the next occasion
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
            draft.replace(self._path)
            self._written = data

    def others(self) -> list[Note]:
        """The notes of the server's other workers, living and dead."""
        return [note for path, note in self._notes() if path != self._path and note.server == self._server]

    def living(self) -> list[Note]:
        """The notes of the server's other workers that still run."""
        return [note for note in self.others() if _lives(note.pid)]

    def versions(self, endpoint: str) -> list[dict[str, int | None]]:
        """What each living worker, this one included, answers an endpoint with; as of its last note."""
        with suppress(OSError, msgspec.DecodeError):
            own = [_decode(self._path.read_bytes())]
            return [{"pid": note.pid, **note.versions.get(endpoint, {})} for note in own + self.living()]
        return []

    def _notes(self) -> list[tuple[Path, Note]]:
        notes = []
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, msgspec.DecodeError):  # a note that can't be read now can be at the next look
                notes.append((path, _decode(path.read_bytes())))
        return notes

    def _sweep(self) -> None:
        for path, note in self._notes():
            if note.server != self._server and not _lives(note.server):
                path.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
