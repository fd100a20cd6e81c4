"""CatBoost's own snapshot, vouched for: it notices one that ends too early, and goes on from one that was changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from drivetrain.core import plugins
from drivetrain.core.hashing import digest_file
from drivetrain.core.protocols import FitTask

_FILE, _VOUCHED = "snapshot", "snapshot.digest"


class Snapshot:
    """Where a fit leaves how far it is; nowhere, where its task names no place.

    CatBoost writes the snapshot when a round is over; at the next round its digest is written beside it. A snapshot
    whose digest is another is taken away before the fit, which then begins again.

    Args:
        task: The fit.
        meaning: What else its result follows from.
    """

    def __init__(self, task: FitTask, meaning: object) -> None:
        self._seconds = int(task.checkpoint_seconds)
        self._seen = 0
        checkpoint = plugins.load("checkpoint", "numpy")(task, meaning)
        self._folder: Path | None = None if checkpoint.path is None else checkpoint.path.with_suffix(".catboost")
        if self._folder is not None and (self._folder / _FILE).exists() and not self._whole(self._folder):
            checkpoint.drop("CatBoost's snapshot is not what was left")
            shutil.rmtree(self._folder, ignore_errors=True)

    def settings(self) -> dict[str, Any]:
        """What CatBoost is told."""
        if self._folder is None:
            return {}
        self._folder.mkdir(parents=True, exist_ok=True)
        return {
            "allow_writing_files": True, "train_dir": str(self._folder), "save_snapshot": True, "snapshot_file": _FILE,
            "snapshot_interval": self._seconds,
        }  # fmt: skip

    def after_iteration(self, info: Any) -> bool:  # noqa: ANN401, ARG002 - catboost's own signature
        """After every round: vouches for the snapshot, where there is a new one."""
        if self._folder is not None:
            self.vouch(self._folder)
        return True

    def vouch(self, folder: Path) -> None:
        """Writes the digest of the snapshot beside it."""
        try:
            written = (folder / _FILE).stat().st_mtime_ns
        except OSError:
            return
        if written != self._seen:
            aside = folder / f".{_VOUCHED}.{os.getpid()}"
            aside.write_text(digest_file(folder / _FILE))
            aside.replace(folder / _VOUCHED)
            self._seen = written

    @staticmethod
    def _whole(folder: Path) -> bool:
        try:
            return (folder / _VOUCHED).read_text("ascii") == digest_file(folder / _FILE)
        except (OSError, UnicodeDecodeError):
            return False
