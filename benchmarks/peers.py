"""Peers in environments of their own, made once under ``.benchenv/``; they are never dependencies."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import measure

ROOT = Path(__file__).parent.parent / ".benchenv"
FEAST = ("feast[duckdb,redis]==0.67.0",)
DUCKDB = ("duckdb==2.0.0", "pyarrow==26.0.1", "pytz")
PANDAS = ("pandas==3.1.1", "pyarrow==26.0.1")
MATPLOTLIB = ("matplotlib==3.11.2",)


def python(*packages: str) -> str | None:
    """The interpreter of an environment with these packages; none where they can't be installed."""
    digest = hashlib.blake2b("\n".join(sorted(packages)).encode(), digest_size=4).hexdigest()
    name = f"{re.match('[a-z]*', packages[0])[0]}-{digest}"
    folder = ROOT / name
    found = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return str(found)
    shutil.rmtree(folder, ignore_errors=True)
    ROOT.mkdir(exist_ok=True)
    (ROOT / ".gitignore").write_text("*\n", encoding="utf-8")
    if not (_run(sys.executable, "-m", "venv", str(folder)) and _install(str(found), packages)):
        return None
    ready.write_text("\n".join(packages), encoding="utf-8")
    return str(found)


def run(packages: Sequence[str], command: Sequence[str], name: str) -> measure.Cost:
    """A script beside this one in an environment with these packages, or in our own if there are none.

    Args:
        packages: What it needs.
        command: The script's name, and its arguments.
        name: Of the row, where it does not come to say its own.
    """
    script, *arguments = command
    found = python(*packages) if packages else sys.executable
    if found is None:
        return measure.Cost(name, note="can't be installed here")
    return measure.apart(found, [str(Path(__file__).parent / script), *arguments], name)


def _install(found: str, packages: Sequence[str]) -> bool:
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    if Path(uv).exists() and _run(uv, "pip", "install", "-q", "--compile-bytecode", "--python", found, *packages):
        return True
    return _run(found, "-m", "pip", "install", "-qq", *packages)


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
