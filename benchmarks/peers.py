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
    folder = ROOT / _name(packages)
    found = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return str(found)
    shutil.rmtree(folder, ignore_errors=True)
    ROOT.mkdir(exist_ok=True)
    (ROOT / ".gitignore").write_text("*\n", encoding="utf-8")
    refused = folder.with_suffix(".refused")
    refused.unlink(missing_ok=True)
    said = _run(sys.executable, "-m", "venv", str(folder)) or _install(str(found), packages)
    if said is not None:
        refused.write_text(said, encoding="utf-8")
        return None
    ready.write_text("\n".join(packages), encoding="utf-8")
    return str(found)


def reason(*packages: str) -> str:
    """What the installer said last of an environment that could not be made."""
    refused = ROOT / f"{_name(packages)}.refused"
    return refused.read_text("utf-8") if refused.exists() else "nothing was said"


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


def _name(packages: Sequence[str]) -> str:
    digest = hashlib.blake2b("\n".join(sorted(packages)).encode(), digest_size=4).hexdigest()
    return f"{re.match('[a-z]*', packages[0])[0]}-{digest}"


def _install(found: str, packages: Sequence[str]) -> str | None:
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    quick = (uv, "pip", "install", "-q", "--compile-bytecode", "--python", found, *packages)
    if Path(uv).exists() and _run(*quick) is None:
        return None
    return _run(found, "-m", "pip", "install", "-qq", *packages)


def _run(*command: str) -> str | None:
    """What a command that failed said last; none if it did not."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace")
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return (lines or ["no word"])[-1][:120] if done.returncode else None
