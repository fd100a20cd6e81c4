"""A server under load: the processes it is, what it is asked, and what that took."""

from __future__ import annotations

import json
import math
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import load
from load import Load

Drive = Callable[[int, bytes, int, float], Load]
"""Port, request, connections, seconds."""


class Server:
    """A server's processes.

    Args:
        command: What starts it.
        folder: Where it runs, and its output goes.
        environment: All of its environment.
        log: Name of the file for its output.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: str) -> None:
        self.log = folder / f"{log}.out"
        with self.log.open("wb") as output:
            self._popen = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        self.pid = self._popen.pid

    @property
    def ended(self) -> bool:
        """Whether the process that was started is gone."""
        return self._popen.poll() is not None

    def processes(self) -> list[psutil.Process]:
        """The process that was started and all that it started."""
        try:
            first = psutil.Process(self.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        spent = 0.0
        for process in self.processes():
            with suppress(psutil.Error):
                times = process.cpu_times()
                spent += times.user + times.system
        return spent

    def memory(self) -> float:
        """MB of all processes, pages that several share counted once."""
        total = 0
        for process in self.processes():
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total / 1e6

    def last_words(self) -> str:
        """The last line of its output that says anything."""
        lines = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return (lines or ["nothing"])[-1][:120].replace("|", "/")

    def stop(self) -> None:
        """Ends every process, gently at first."""
        processes = self.processes()
        self._popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(20)
        for process in processes:  # some servers leave their workers behind
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._popen.wait()


@dataclass(frozen=True)
class Figures:
    """Medians over slices: answers per second, milliseconds, and µs of the server's CPU for one answer."""

    rate: float
    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True)
class Ratio:
    """How many times as much one server answers as another: median, least and most over rounds; and for the same CPU.

    The two slices of a round met much the same noise; on a machine shared with others, CPU says more than time.
    """

    rate: float
    least: float
    most: float
    cpu: float


@dataclass
class Contestant:
    """One row of the table.

    Attributes:
        name: What it is called there.
        port: Where it listens.
        path: What is asked for.
        body: A row of the model's numbers as the server wants it, JSON to be.
        answer: The prediction in the server's answer.
        server: Its processes; none where it could not be started.
        expects: What the answer must be within 1e-6, given the numbers; none where it can't be said beforehand.
        note: Why it has no figures.
    """

    name: str
    port: int = 0
    path: str = "/"
    body: Callable[[list[float]], object] = lambda _: None
    answer: Callable[[Any], float] = float
    server: Server | None = None
    expects: Callable[[list[float]], float] | None = None
    note: str = ""
    slices: dict[int, list[tuple[Load, float]]] = field(default_factory=dict)

    def request(self, numbers: list[float]) -> bytes:
        """The request for a row of numbers."""
        return load.post(self.path, json.dumps(self.body(numbers)).encode())

    def wait(self, numbers: list[float], seconds: float) -> None:
        """Returns when it answers 200, or notes why it does not."""
        until = time.monotonic() + seconds
        status, told = 0, b""
        while self.server is not None and not self.note:
            with suppress(OSError, ValueError):
                status, told = load.ask(self.port, self.request(numbers))
                if status == 200:
                    return
            if self.server.ended:
                self.note = f"does not start: {self.server.last_words()}"
            elif time.monotonic() > until:
                self.note = f"answers {status} {told[:80]!r}" if status else f"no answer in {seconds:.0f} s"
            time.sleep(0.2)

    def check(self, rows: Sequence[list[float]]) -> None:
        """Notes if any answer is not what the model says."""
        for numbers in rows:
            status, told = load.ask(self.port, self.request(numbers))
            found = self.answer(json.loads(told)) if status == 200 else math.nan
            if not math.isfinite(found):
                self.note = f"answers {status} {told[:80]!r}"
            elif self.expects is not None and abs(found - (expected := self.expects(numbers))) > 1e-6:
                self.note = f"predicts {found}, the model {expected}"

    def run(self, drive: Drive, numbers: list[float], connections: int, seconds: float) -> None:
        """One slice of load."""
        if self.server is None or self.note:
            return
        before = self.server.cpu()
        try:
            seen = drive(self.port, self.request(numbers), connections, seconds)
        except (OSError, subprocess.CalledProcessError) as error:
            self.note = f"fails under load: {error}"
            return
        spent = (self.server.cpu() - before) / max(1, seen.answers)
        self.slices.setdefault(connections, []).append((seen, spent))
        # What is still under way when the client leaves is worked off before the next server's turn.
        time.sleep(min(2.0, connections / max(seen.rate, 1.0)))

    def figures(self, connections: int) -> Figures | None:
        """What its slices say; none if nothing was answered in them."""
        runs = [] if self.note else self.slices.get(connections, [])
        if not any(seen.answers for seen, _ in runs):
            return None
        return Figures(
            rate=max(statistics.median(seen.rate for seen, _ in runs), 1e-3),
            p50=statistics.median(seen.quantile(0.5) for seen, _ in runs) * 1e3,
            p99=statistics.median(seen.quantile(0.99) for seen, _ in runs) * 1e3,
            cpu=statistics.median(spent for _, spent in runs) * 1e6,
        )

    def beside(self, other: Contestant, connections: int) -> Ratio | None:
        """How many times as much it answers as another one, round by round; none if either has no figures."""
        if self.figures(connections) is None or other.figures(connections) is None:
            return None
        pairs = list(zip(self.slices[connections], other.slices[connections], strict=False))
        rates = sorted(mine.rate / max(theirs.rate, 1e-3) for (mine, _), (theirs, _) in pairs)
        cpu = statistics.median(theirs / max(mine, 1e-9) for (_, mine), (_, theirs) in pairs)
        return Ratio(statistics.median(rates), rates[0], rates[-1], cpu)

    @property
    def failures(self) -> int:
        """Answers other than 200, and none at all."""
        return sum(seen.failures for runs in self.slices.values() for seen, _ in runs)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
