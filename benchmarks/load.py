"""A load generator for HTTP servers: one thread, epoll, connections that always have one request under way."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field


@dataclass
class Load:
    """What one slice of load saw. Times are seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        """Answers with status 200 per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Latency that a share of the answers kept within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Connection:
    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request = request
        self.buffer = b""
        self.started = 0.0

    def send(self) -> None:
        self.buffer = b""
        self.started = time.perf_counter()
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
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(head[9:12]) if len(body) >= length else 0


def post(path: str, body: bytes) -> bytes:
    """The bytes of a POST request."""
    kind = "content-type: application/json"
    return f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def drive(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Sends one request over and over on many connections for a while."""
    made = [_Connection(port, request) for _ in range(connections)]
    poll = select.epoll()
    by_file = {one.socket.fileno(): one for one in made}
    for number in by_file:
        poll.register(number, select.EPOLLIN)
    load = Load()
    began = time.perf_counter()
    for one in made:
        one.send()
    until = began + seconds
    while time.perf_counter() < until:
        for number, _ in poll.poll(1.0):
            one = by_file[number]
            status = one.receive()
            if not status:
                continue
            if status == 200:
                load.latencies.append(time.perf_counter() - one.started)
            else:
                load.failures += 1
            one.send()
    load.seconds = time.perf_counter() - began
    for one in made:
        one.socket.close()
    return load
