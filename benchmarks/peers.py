"""Peers in environments of their own, made once under ``.benchenv/``; they are never dependencies."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent / ".benchenv"


def python(*packages: str) -> str | None:
    """The interpreter of an environment with these packages; none where they can't be installed."""
    name = hashlib.blake2b("\n".join(sorted(packages)).encode(), digest_size=6).hexdigest()
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


def _install(found: str, packages: Sequence[str]) -> bool:
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    if Path(uv).exists() and _run(uv, "pip", "install", "-q", "--compile-bytecode", "--python", found, *packages):
        return True
    return _run(found, "-m", "pip", "install", "-q", *packages)


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
