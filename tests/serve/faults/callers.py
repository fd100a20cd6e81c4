"""Clients that ask without pause and remember everything that they were told."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from typing import Any, NamedTuple

from serve.process import Server, ask
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
LOST = (OSError, http.client.HTTPException)
BASE = 6.0
"""What version 1 says of a row, less its distance."""


class Told(NamedTuple):
    """One request and what came of it; ``status`` is 0 where the connection broke. Times are monotonic seconds."""

    name: str
    distance: float
    sent: float
    told: float
    status: int
    answer: Any

    @property
    def good(self) -> bool:
        return self.status == 200


class Callers:
    """Threads that ask without pause, each on a connection that it keeps while it can."""

    def __init__(self, server: Server, count: int = 4, *, name: str = "", path: str = PLAIN) -> None:
        self.all: list[Told] = []
        self._server, self._path, self._name = server, path, name
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(at,)) for at in range(count)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> list[str]:
        """Names of the requests that were answered 200."""
        return [told.name for told in list(self.all) if told.good]

    @property
    def refused(self) -> list[Told]:
        """Those that were answered something else."""
        return [told for told in list(self.all) if told.status and not told.good]

    @property
    def lost(self) -> list[Told]:
        """Those whose connection broke."""
        return [told for told in list(self.all) if not told.status]

    def more(self, count: int, status: int = 200, seconds: float = 120.0) -> None:
        """Waits for so many more answers with a status."""
        seen, until = len(self.all), time.monotonic() + seconds
        while sum(told.status == status for told in self.all[seen:]) < count:
            assert time.monotonic() < until, (self.all[-3:], self.refused[-3:], self.lost[-3:])
            time.sleep(0.005)

    def _call(self, caller: int) -> None:
        connection = self._server.client()
        for number in itertools.count(1):
            if self._stop.is_set():
                break
            name, distance, sent = f"{self._name}{caller}-{number}", float(number), time.monotonic()
            body = {"instances": [instance(distance=distance)], "request_id": name}
            try:
                status, answer = ask(connection, "POST", self._path, body)
            except LOST as error:
                status, answer = 0, repr(error)
                connection.close()
            self.all.append(Told(name, distance, sent, time.monotonic(), status, answer))
            self._stop.wait(0.003 if status == 200 else 0.02)  # several people share the machine
        connection.close()
