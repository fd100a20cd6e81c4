"""What a piece of work costs: CPU seconds, wall seconds and peak memory, each in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Cost:
    """What one run cost."""

    name: str
    cpu: float = 0.0
    wall: float = 0.0
    peak_mb: float = 0.0
    grown_mb: float = 0.0
    check: float = 0.0
    note: str = ""
    more: dict[str, float] = field(default_factory=dict)


def here(name: str, work: Callable[[], float]) -> Cost:
    """Runs work in this process and prints its cost as JSON, for :func:`apart` to read.

    Args:
        name: Name of the row.
        work: What to do; returns a checksum that all contestants must agree on.
    """
    before = _rss()
    cpu, wall = time.process_time(), time.perf_counter()
    check = work()
    cost = Cost(name, time.process_time() - cpu, time.perf_counter() - wall, _peak(), 0.0, check)
    cost.grown_mb = cost.peak_mb - before
    print("COST " + json.dumps(asdict(cost)))
    return cost


def apart(python: str, arguments: Sequence[str], name: str) -> Cost:
    """Runs a script that ends in :func:`here` in a process of its own; a failure becomes the row's note."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run([python, *arguments], capture_output=True, text=True, env=environment, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("COST "):
            cost: dict[str, Any] = json.loads(line.removeprefix("COST "))
            return Cost(**cost)
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Cost(name, note=reason[:80])


def table(rows: Sequence[Cost]) -> None:
    """Prints rows beside the first, ratios of CPU seconds and memory included."""
    first = rows[0]
    print(f"{'':34} {'CPU s':>8} {'×':>6} {'wall s':>8} {'peak MB':>8} {'×':>6}  checksum")
    for row in rows:
        if row.note:
            print(f"{row.name:34} {row.note}")
            continue
        print(
            f"{row.name:34} {row.cpu:8.2f} {row.cpu / max(first.cpu, 1e-9):6.2f} {row.wall:8.2f} "
            f"{row.peak_mb:8.0f} {row.peak_mb / max(first.peak_mb, 1e-9):6.2f}  {row.check:.10g}"
        )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rss() -> float:
    pages = Path(f"/proc/{os.getpid()}/statm").read_text("ascii").split()[1]
    return int(pages) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit("measure.py is used by the benchmarks beside it")
