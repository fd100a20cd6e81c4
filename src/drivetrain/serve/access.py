"""The access log: one JSON line a request, written beside the event loop, with nothing of what was said."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import msgspec

from drivetrain.core.clock import SECOND, Micros, iso
from drivetrain.core.exchange import Exchange

EVERY_SECONDS = 0.5
MOST = 200_000
"""Lines held while the file can't be written; what comes on top of them is left out and counted."""
STANDARD_OUTPUT = "-"

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode


class AccessLog:
    """Lines of one worker.

    The file is opened for every write of all that came meanwhile: whoever moves it away (logrotate) gets a new one, and
    workers add whole lines to the same file.

    Args:
        path: The file; ``-`` for standard output.
        dropped: Told how many lines were left out.
        most: Lines held at most.
    """

    def __init__(self, path: str, dropped: Callable[[int], None], *, most: int = MOST) -> None:
        self._path = path
        self._dropped = dropped
        self._most = most
        self._waiting: deque[Exchange] = deque()
        self._failing = False
        self._torn = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="drivetrain-access", daemon=True)
        self._thread.start()

    def saw(self, exchange: Exchange) -> None:
        """Keeps a line for the next write."""
        if len(self._waiting) < self._most:
            self._waiting.append(exchange)
        else:
            self._dropped(1)

    def close(self) -> None:
        """Writes what waits."""
        self._stop.set()
        self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Writes what waits; lines that can't be written are left out, as no request is to wait for them."""
        count = len(self._waiting)
        if not count:
            return
        lines = b"".join([line_of(self._waiting.popleft()) for _ in range(count)])
        try:
            self._write(lines)
            self._failing = False
        except OSError as error:
            if not self._failing:
                _log.warning("the access log %s can't be written: %s", self._path, error.strerror or error)
            self._failing = True
            self._dropped(count)

    def _write(self, lines: bytes) -> None:
        if self._path == STANDARD_OUTPUT:
            self._append(1, lines)
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            file = os.open(self._path, flags, 0o640)
        except FileNotFoundError:
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, flags, 0o640)
        try:
            self._append(file, lines)
        finally:
            os.close(file)

    def _append(self, file: int, lines: bytes) -> None:
        if self._torn:
            lines = b"\n" + lines  # a line that a full disk cut off must not spoil the next one
        written = 0
        while written < len(lines):
            try:
                written += os.write(file, lines[written:])
            finally:
                self._torn = 0 < written < len(lines) or (self._torn and not written)

    def _work(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.flush()
            except Exception:  # noqa: BLE001 - the log must outlive a mistake; it is told and the next write comes
                _log.exception("the access log could not be written")


def _time(micros: Micros) -> str:
    """ISO 8601 with six places always, so that lines sort as text."""
    return f"{_second(micros // SECOND)}.{micros % SECOND:06d}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return iso(seconds * SECOND).removesuffix("Z")


def line_of(exchange: Exchange) -> bytes:
    """The line of one request."""
    return (
        _encode(
            {
                "time": _time(exchange.began // 1_000),
                "method": exchange.method,
                "route": exchange.route,
                "endpoint": exchange.endpoint,
                "status": exchange.status,
                "ms": round(exchange.seconds * 1e3, 3),
                "bytes_in": exchange.received,
                "bytes_out": exchange.sent,
                "token": exchange.token,
                "request_id": exchange.request_id,
                "pid": os.getpid(),
            }
        )
        + b"\n"
    )
