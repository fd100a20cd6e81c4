"""Versions' runs told elsewhere, when the project asks for it: written down at once, sent when it can be."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from drivetrain.core import plugins
from drivetrain.core.errors import DrivetrainError, UsageError
from drivetrain.core.mirror import Mirror, Mirrored
from drivetrain.core.progress import Progress
from drivetrain.core.records import ModelVersion
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.spoken import Spoken

_MOST = 20
"""Runs that are written down at a time: a project that turns it on late is told of bit by bit."""
_SECONDS = 30.0
"""That sending may take, all runs together."""
_SENT = "sent"


class MirrorTold(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it.

    Attributes:
        place: The project at Weights & Biases.
        written: How many runs were written down now.
        sent: How many were sent now.
        waiting: How many wait for the next time.
        why: Why those were not sent; empty where none waits.
    """

    place: str
    written: int = 0
    sent: int = 0
    waiting: int = 0
    why: str = ""

    def __str__(self) -> str:
        """One line."""
        if not self.waiting:
            return f"{self.sent} runs told to W&B"
        return f"{self.sent} runs told to W&B; {self.waiting} wait for the next run: {self.why.rstrip('.')}"


def mirror(project: Definitions) -> MirrorTold:
    """See :meth:`Tracking.mirror`."""
    place = project.settings.tracking.wandb
    if not place:
        raise UsageError(
            "there is nowhere to mirror runs to",
            do='Name the project at W&B in drivetrain.toml: [tracking] wandb = "…"',
        )
    mirror: Mirror = plugins.load("mirror", "wandb")()
    root = project.folder / project.settings.store.root / "mirror" / "wandb"
    versions = sorted(project.store.catalog.find(ModelVersion), key=lambda one: -one.at)
    new = [one for one in versions if one.removed is None and not (root / one.run_id).exists()]
    for version in new[:_MOST]:
        _write(project, mirror, version, root)
    waiting = sorted(one for one in root.iterdir() if _waits(one)) if root.is_dir() else []
    sent, why, left = 0, "", _SECONDS
    for folder in waiting:
        why = mirror.send(folder, left)
        if why:
            break
        (folder / _SENT).touch()
        shutil.rmtree(folder / "wandb", ignore_errors=True)  # it is there now
        sent += 1
    return MirrorTold(place=place, written=len(new[:_MOST]), sent=sent, waiting=len(waiting) - sent, why=why)


def mirror_quietly(project: Definitions, progress: Progress) -> None:
    """The same at the end of a run: whatever becomes of it is said in a line, and fails nothing."""
    if not project.settings.tracking.wandb:
        return
    progress.start("mirror")
    try:
        said = str(mirror(project))
    except (DrivetrainError, OSError, subprocess.SubprocessError) as error:
        said = f"runs are not told to W&B: {error}"
    progress.finish("mirror", said)


def _waits(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".") and not (folder / _SENT).exists()


def _write(project: Definitions, mirror: Mirror, version: ModelVersion, root: Path) -> None:
    """Writes a run down; its folder has its name once it is whole."""
    spoken = Spoken(project, version)
    root.mkdir(parents=True, exist_ok=True)
    aside = root / f".{version.run_id}.{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        with TemporaryDirectory(prefix="drivetrain-") as name:
            files = {**spoken.papers(), **{one.name: project.store.blobs.get(one.digest) for one in version.artifacts}}
            for path, data in files.items():
                (Path(name) / path).write_bytes(data)
            told = Mirrored(
                place=project.settings.tracking.wandb,
                run_id=version.run_id,
                name=version.key,
                group=version.model,
                config={**spoken.parameters(), "trainer": spoken.run.trainer, "engine": version.engine},
                tags=(project.name, "passed" if version.gates.passed else "refused"),
                points=tuple(spoken.metrics()),
                summary={point.key: point.value for point in spoken.judged()},
                files={path: str(Path(name) / path) for path in files},
            )
            mirror.write(told, aside)
        aside.replace(root / version.run_id)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
