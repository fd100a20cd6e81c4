"""Workers of a running server, while some of them end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from serve.process import Server

PATIENCE = 120.0


def workers(server: Server) -> list[int]:
    """Process ids of the workers that live."""
    return list(_living(server))


def wait_for_workers(server: Server, count: int, *, without: int = 0) -> None:
    """Waits until so many workers answer, one not among them."""
    until = time.monotonic() + PATIENCE
    while True:
        living = workers(server)
        told = {note["pid"] for note in server.get("/v1/endpoints/plain")[1]["workers"]}
        if len(living) == count and without not in living and told == set(living):
            return
        assert time.monotonic() < until, (living, told)
        time.sleep(0.05)


def resident(pids: list[int]) -> float:
    """Memory that processes hold, together; MiB."""
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20


def _living(server: Server) -> Iterator[int]:
    for child in psutil.Process(server.process.pid).children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE and any("spawn_main" in word for word in child.cmdline()):
                yield child.pid
        except psutil.NoSuchProcess:
            continue  # it has ended meanwhile
