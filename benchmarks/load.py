"""A load generator for HTTP servers: one thread, epoll, at most one request under way on a connection.

:func:`drive` is a closed loop: a connection asks again as soon as it is answered, so the server is as busy as it can
be. :func:`offer` is an open one: requests are due at a steady rate, whatever the server does.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Load:
    """What one slice of load saw. Times are seconds."""

    seconds: float = 0.0
    answers: int = 0
    """Those with status 200."""
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Answers with status 200 per second."""
        return self.answers / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Latency that a share of the answers kept within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def count(self, status: int, latency: float) -> None:
        """Counts one answer."""
        if status == 200:
            self.answers += 1
            self.latencies.append(latency)
        else:
            self.failures += 1


class _Connection:
    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.buffer = b""
        self.started = 0.0

    def send(self, due: float | None = None) -> None:
        self.buffer = b""
        self.started = time.perf_counter() if due is None else due
        self.socket.sendall(self.request)

    def receive(self) -> int:
        """Status of the answer if it is whole, else 0."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.buffer += piece
        head, gap, body = self.buffer.partition(b"\r\n\r\n")
        if not gap:
            return 0
        _, found, length = head.lower().partition(b"content-length:")
        whole = len(body) >= int(length.split(b"\r\n", 1)[0]) if found else body.endswith(b"0\r\n\r\n")
        return int(head[9:12]) if whole else 0

    @property
    def body(self) -> bytes:
        """The answer's body, its chunks joined."""
        head, _, body = self.buffer.partition(b"\r\n\r\n")
        if b"content-length:" in head.lower():
            return body
        joined = b""
        while body:
            size, _, rest = body.partition(b"\r\n")
            joined += rest[: int(size, 16)]
            body = rest[int(size, 16) + 2 :]
        return joined


def post(path: str, body: bytes) -> bytes:
    """The bytes of a POST request."""
    kind = "content-type: application/json"
    return f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to one request."""
    one = _Connection(port, request)
    one.socket.settimeout(30)
    try:
        one.send()
        while not (status := one.receive()):
            pass
        return status, one.body
    finally:
        one.socket.close()


def drive(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Sends one request over and over on many connections for a while."""
    load = Load()
    with _connected(port, request, connections) as (made, poll):
        began = time.perf_counter()
        for one in made.values():
            one.send()
        until = began + seconds
        while time.perf_counter() < until:
            for number, _ in poll.poll(1.0):
                one = made[number]
                if status := one.receive():
                    load.count(status, time.perf_counter() - one.started)
                    one.send()
        load.seconds = time.perf_counter() - began
    return load


def offer(port: int, request: bytes, connections: int, rate: float, seconds: float) -> Load:
    """Sends requests at a steady rate; latencies count from when a request was due, not from when it could be sent.

    A request that finds every connection busy waits for one, and its wait counts: a server that stalls is charged for
    all who would have come meanwhile (Tene, "How not to measure latency", 2013).
    """
    load = Load()
    with _connected(port, request, connections) as (made, poll):
        free = deque(made.values())
        waiting: deque[float] = deque()
        began = time.perf_counter()
        sent = 0
        while (moment := time.perf_counter()) < began + seconds:
            while (due := began + sent / rate) <= moment:
                waiting.append(due)
                sent += 1
            while waiting and free:
                free.popleft().send(waiting.popleft())
            # epoll waits in whole milliseconds, several requests at once; select wakes within some 50 µs, which count.
            select.select([poll], [], [], max(0.0, began + sent / rate - time.perf_counter()))
            for number, _ in poll.poll(0):
                one = made[number]
                if status := one.receive():
                    load.count(status, time.perf_counter() - one.started)
                    free.append(one)
        load.seconds = time.perf_counter() - began
    return load


@contextmanager
def _connected(port: int, request: bytes, connections: int) -> Iterator[tuple[dict[int, _Connection], select.epoll]]:
    made = [_Connection(port, request) for _ in range(connections)]
    by_file = {one.socket.fileno(): one for one in made}
    with select.epoll() as poll:
        for number in by_file:
            poll.register(number, select.EPOLLIN)
        try:
            yield by_file, poll
        finally:
            for one in made:
                one.socket.close()
