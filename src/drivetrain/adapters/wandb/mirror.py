"""Runs for Weights & Biases, each in a process of its own: what its library does there can hold up no fit."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec

from drivetrain.core.errors import MissingExtra, StoreError
from drivetrain.core.mirror import Mirrored

_WRITE_SECONDS = 120
_TOLD = "told.json"
_SYNCED = ".synced"
"""What ``wandb sync`` leaves beside a run that it has sent ends with it."""


class WandbMirror:
    """Writes runs offline, and sends them with ``wandb sync``.

    Who we are, and which server is meant, is told by W&B's own variables (``WANDB_API_KEY``, ``WANDB_BASE_URL``,
    ``WANDB_ENTITY``) or its login. With ``WANDB_MODE=offline`` nothing is sent.
    """

    def write(self, run: Mirrored, folder: Path) -> None:
        """See :class:`~drivetrain.core.mirror.Mirror`."""
        if find_spec("wandb") is None:
            raise MissingExtra("the wandb adapter needs wandb", do='Run: pip install "drivetrain[wandb]"')
        told = folder / _TOLD
        told.write_bytes(msgspec.json.encode(run))
        said = _called(["-m", "drivetrain.adapters.wandb.writing", str(told)], folder, _WRITE_SECONDS)
        if said:
            raise StoreError(f"run {run.run_id} can't be written down for W&B: {said}")
        told.unlink()

    def send(self, folder: Path, seconds: float) -> str:
        """See :class:`~drivetrain.core.mirror.Mirror`."""
        if os.environ.get("WANDB_MODE") == "offline":
            return "WANDB_MODE is offline"
        for run in sorted((folder / "wandb").glob("offline-run-*")):
            if not any(run.glob(f"*{_SYNCED}")):
                why = _called(["-m", "wandb", "sync", "--mark-synced", str(run)], folder, seconds)
                if why:
                    return why
        return ""


def _called(words: list[str], folder: Path, seconds: float) -> str:
    """Runs Python; why it failed, in a line, or nothing."""
    environment = {**os.environ, "WANDB_DIR": str(folder), "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, and no shell
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=environment,
            cwd=folder,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {seconds:.0f} s"
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"it ended with {done.returncode}"
