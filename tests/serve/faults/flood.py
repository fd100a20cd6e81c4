"""Load beyond what a server can take: one thread, epoll, requests due at a rate whatever the server does."""

from __future__ import annotations

import select
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_PATIENCE = 60.0


@dataclass
class Flood:
    """What came back. Times are seconds."""

    seconds: float = 0.0
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    heads: dict[int, str] = field(default_factory=dict)
    """Status → the head of an answer that had it."""
    broken: int = 0
    """Connections that ended by themselves."""

    @property
    def goodput(self) -> float:
        """Answers with status 200 per second."""
        return self.statuses[200] / self.seconds

    def quantile(self, status: int, share: float) -> float:
        """Latency that a share of the answers of a status kept within."""
        ordered = sorted(self.latencies[status])
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Line:
    def __init__(self, port: int) -> None:
        self.port = port
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.started = 0.0

    def answer(self) -> tuple[int, str] | None:
        """Status and head of the answer once it is whole."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError
        self.buffer += piece
        head, gap, body = self.buffer.partition(b"\r\n\r\n")
        if not gap:
            return None
        _, _, length = head.lower().partition(b"content-length:")
        if len(body) < int(length.split(b"\r\n", 1)[0]):
            return None
        self.buffer = b""
        return int(head[9:12]), head.decode().lower()


def post(path: str, body: bytes) -> bytes:
    """The bytes of a POST request."""
    kind = "content-type: application/json"
    return f"POST {path} HTTP/1.1\r\nhost: x\r\n{kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def flood(port: int, request: bytes, seconds: float, *, connections: int, rate: float | None = None) -> Flood:
    """Sends a request over and over.

    Args:
        port: The server's.
        request: The bytes.
        seconds: How long.
        connections: How many lines; a request that finds all of them busy is not sent.
        rate: Requests due a second; without one, every line asks again as soon as it is answered.
    """
    seen = Flood()
    with _lines(port, connections) as (lines, poll):
        free = deque(lines.values())
        began = time.monotonic()
        while (moment := time.monotonic()) < began + seconds:
            due = float("inf") if rate is None else (moment - began) * rate
            while free and seen.sent < due:
                line = free.popleft()
                line.started = time.monotonic()
                line.socket.sendall(request)
                seen.sent += 1
            for number, _ in poll.poll(0.001):
                _take(lines[number], seen, free, lines, poll)
        seen.seconds = time.monotonic() - began
        late = Flood()
        while len(free) < connections and time.monotonic() < began + seconds + _PATIENCE:
            for number, _ in poll.poll(0.01):
                _take(lines[number], late, free, lines, poll)  # so that the next flood finds nobody waiting
    return seen


def _take(line: _Line, seen: Flood, free: deque[_Line], lines: dict[int, _Line], poll: select.epoll) -> None:
    try:
        told = line.answer()
    except OSError:
        seen.broken += 1
        old = line.socket.fileno()
        poll.unregister(old)
        del lines[old]
        line.socket.close()
        line.open()
        lines[line.socket.fileno()] = line
        poll.register(line.socket.fileno(), select.EPOLLIN)
        free.append(line)
        return
    if told is not None:
        status, head = told
        seen.statuses[status] += 1
        seen.latencies[status].append(time.monotonic() - line.started)
        seen.heads.setdefault(status, head)
        free.append(line)


@contextmanager
def _lines(port: int, count: int) -> Iterator[tuple[dict[int, _Line], select.epoll]]:
    made = [_Line(port) for _ in range(count)]
    lines = {line.socket.fileno(): line for line in made}
    with select.epoll() as poll:
        for number in lines:
            poll.register(number, select.EPOLLIN)
        try:
            yield lines, poll
        finally:
            for line in made:
                line.socket.close()
