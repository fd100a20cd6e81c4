"""What a fit was made with, looked up while it runs: the commit, what was changed since, every package, the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.protocols import Blobs
from drivetrain.core.records.making import Machine, Making

LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "NUMEXPR_NUM_THREADS")
LARGEST = 4 << 20
"""Bytes of a patch that are kept; what is longer is said to be there, and not kept."""
_PATIENCE = 20.0
_CODE = ("*.py", "pyproject.toml")
"""Only code is kept: settings may hold passwords, and data are versions of tables."""


class Observed(NamedTuple):
    """What a run is made with, before what takes room is kept.

    Attributes:
        making: What is known.
        patch: What the code holds beyond its commit.
        lock: Every installed package.
    """

    making: Making
    patch: bytes
    lock: bytes

    def kept(self, blobs: Blobs) -> Making:
        """The same, with what takes room kept as blobs."""
        changes = blobs.put(self.patch) if self.patch else None
        return replace(self.making, changes=changes, lock=blobs.put(self.lock))


def observed(folder: Path, told: Making, *, as_of: Micros, threads: int) -> Observed:
    """What was told of a run, with what can be looked up here and now.

    Args:
        folder: The project folder, whose code it is.
        told: What the project says of it.
        as_of: Where the test window ends.
        threads: What the fit is given.
    """
    commit, patch = code_of(folder)
    made = replace(told, as_of=as_of, commit=commit, machine=machine(threads))
    return Observed(made, patch, lock().encode())


def lock() -> str:
    """Every installed package with its version, a line each, in order.

    Example:
        >>> any(line.startswith("numpy==") for line in lock().splitlines())
        True
    """
    found = {str(one.metadata["Name"]).lower().replace("_", "-"): one.version for one in distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def machine(threads: int) -> Machine:
    """The machine that this process runs on."""
    built: dict[str, Any] = dict(np.show_config(mode="dicts"))
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return Machine(
        cpu=_cpu(),
        system=f"{platform.system()} {platform.machine()}",
        cores=os.cpu_count() or 0,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        blas=f"{blas.get('name', '')} {blas.get('version', '')}".strip(),
        simd=tuple(built.get("SIMD Extensions", {}).get("found", ())),
        threads=threads,
        limits={name: os.environ[name] for name in LIMITS if name in os.environ},
    )


def code_of(folder: Path) -> tuple[str, bytes]:
    """The commit that a folder is at, and what its code holds beyond it; empty where git knows of none.

    Files that git does not track are part of the patch, those that it ignores are not.
    """
    commit = _git(folder, "rev-parse", "HEAD").decode().strip()
    if not commit:
        return "", b""
    places = [f":(glob)**/{pattern}" for pattern in _CODE]
    patch = _git(folder, "diff", "--binary", "--no-ext-diff", "--relative", "HEAD", "--", *places)
    new = _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--", *places).decode("utf-8", "replace")
    for name in sorted(filter(None, new.split("\0"))):
        patch += _git(folder, "diff", "--binary", "--no-ext-diff", "--no-index", "--", os.devnull, name)
    if len(patch) > LARGEST:
        patch = f"# {len(patch):,} bytes of changes: too many to be kept\n".encode()
    return commit, patch


def _git(folder: Path, *words: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        return b""
    try:
        done = subprocess.run(  # noqa: S603 - words of our own, no shell
            [git, "-C", str(folder), *words], capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode in {0, 1} else b""  # 1 is how diff --no-index says that there is one


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.processor())
