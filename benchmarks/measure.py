"""What a piece of work costs: CPU seconds, wall seconds and peak memory, each in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

Outcome = float | tuple[float, dict[str, float]]
"""A checksum that all contestants must agree on; and what else was measured."""


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


def here(name: str, work: Callable[[], Outcome], imports: Sequence[str] = ()) -> Cost:
    """Runs work in this process and prints its cost as JSON, for :func:`apart` to read.

    Args:
        name: Name of the row.
        work: What to do.
        imports: Modules that are loaded before the clocks start.
    """
    for module in imports:
        import_module(module)
    before = _memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    outcome = work()
    cost = Cost(name, time.process_time() - cpu, time.perf_counter() - wall, _memory("VmHWM"))
    cost.grown_mb = cost.peak_mb - before
    cost.check, cost.more = outcome if isinstance(outcome, tuple) else (outcome, {})
    print("COST " + json.dumps(asdict(cost)))
    return cost


def apart(python: str, arguments: Sequence[str], name: str) -> Cost:
    """Runs a script that ends in :func:`here` in a process of its own; a failure becomes the row's note."""
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([python, *arguments], capture_output=True, text=True, env=environment, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("COST "):
            cost: dict[str, Any] = json.loads(line.removeprefix("COST "))
            return Cost(**cost)
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Cost(name, note=f"failed: {reason[:80]}")


def least(runs: Sequence[Callable[[], Cost]], repeat: int) -> list[Cost]:
    """Each run's cost in the least of some rounds: other work on the same cores only adds to it."""
    found = [run() for run in runs]
    for _ in range(repeat - 1):
        for at, run in enumerate(runs):
            if not found[at].note:
                found[at] = min(found[at], run(), key=lambda cost: cost.cpu or float("inf"))
    return found


def micros(work: Callable[[int], object], many: int) -> list[float]:
    """Microseconds of each of many calls, sorted."""
    took = []
    for at in range(many):
        begin = time.perf_counter_ns()
        work(at)
        took.append((time.perf_counter_ns() - begin) / 1_000)
    return sorted(took)


def quietest(work: Callable[[int], object], many: int, rounds: int = 9) -> list[float]:
    """Microseconds of the calls of one round, that with the least median: the one that others disturbed least."""
    size = max(1, many // rounds)
    spans = [range(first, min(first + size, many)) for first in range(0, many, size)]
    return min(
        (micros(lambda at, span=span: work(span[at]), len(span)) for span in spans if len(span) == size),
        key=statistics.median,
    )


def spread(took: Sequence[float], stem: str = "") -> dict[str, float]:
    """Median and 99th percentile of sorted microseconds, as what was measured besides."""
    return {f"{stem}p50": statistics.median(took), f"{stem}p99": took[int(len(took) * 0.99)]}


def times(ratio: float) -> str:
    """A ratio with as many digits as say something."""
    return f"× {ratio:,.0f}" if ratio >= 10 else f"× {ratio:.1f}" if ratio >= 1 else f"× {ratio:.2f}"


def words(cost: Cost) -> str:
    """What a run cost, for a table's cell."""
    return cost.note or f"{cost.cpu:.1f} CPU-s, {cost.peak_mb:,.0f} MB"


def beside(cost: Cost, ours: Cost) -> str:
    """What a peer's run cost, and how many times ours that is."""
    ratio = "" if cost.note else f" ({times(cost.cpu / max(ours.cpu, 1e-9))})"
    return f"{cost.name} {words(cost)}{ratio}"


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


def _memory(what: str) -> float:
    """MiB of this process, by its line in ``/proc``; the peak begins with the program, not with who started it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


if __name__ == "__main__":
    sys.exit("measure.py is used by the benchmarks beside it")
