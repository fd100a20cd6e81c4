"""A private HTTP API for tests, that gives rows a page at a time and misbehaves as it is told."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

_FAULTS = ("unavailable", "busy", "reset", "cut", "garbage")


@dataclass
class Api:
    """A running API: ``/number``, ``/token`` and ``/link`` give the same rows, paged in these ways.

    Attributes:
        url: Where it listens.
        rows: What it gives.
        size: Rows a page.
        faults: Share of requests that fail, each in a way drawn by chance.
        odd: Whether pages come in another order than they are asked for, some twice, each shuffled.
        next_fault: What the next request fails with, whatever the share; see ``trouble``.
        token: What ``Authorization`` must be, if anything.
        asked: Paths of all requests, with their parameters.
    """

    url: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    size: int = 10
    faults: float = 0.0
    odd: bool = False
    next_fault: str | None = None
    retry_after: str = "0"
    token: str | None = None
    asked: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(2013))  # noqa: S311 - chooses faults
    server: ThreadingHTTPServer | None = None

    def trouble(self) -> str | None:
        """What the present request fails with.

        One of ``unavailable``, ``busy``, ``reset``, ``cut``, ``garbage``, ``stall``, ``drip``, ``missing`` and
        ``elsewhere``.
        """
        told, self.next_fault = self.next_fault, None
        if told is not None:
            return told
        return self.chance.choice(_FAULTS) if self.chance.random() < self.faults else None

    def page(self, number: int, since: str | None) -> tuple[list[Any], bool]:
        """Rows of a page, counted from 0; and whether more pages follow."""
        found: Sequence[Any] = [row for row in self.rows if since is None or str(row.get("t")) >= since]
        pages = max(1, -(-len(found) // self.size))
        order = list(range(pages))
        if self.odd and pages > 2:
            order = [*order[::2], order[0], *order[1::2]]
        at = order[number] if number < len(order) else pages
        part = list(found[at * self.size : (at + 1) * self.size])
        if self.odd:
            self.chance.shuffle(part)
        return part, number + 1 < len(order)

    def stop(self) -> None:
        """Ends it; nobody is answered any more."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


@contextmanager
def running_api(**settings: Any) -> Iterator[Api]:  # noqa: ANN401 - the fields of Api
    """Starts an API on a free port, in a thread of this process."""
    api = Api(**settings)

    class Handler(_Handler):
        told = api

    api.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.server.daemon_threads = True
    api.url = f"http://127.0.0.1:{api.server.server_address[1]}"
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        api.stop()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    told: Api
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        """Gives a page, or trouble."""
        api = self.told
        api.asked.append(self.path)
        trouble = api.trouble()
        if trouble == "reset":
            self.close_connection = True
            self.connection.close()
            return
        if trouble == "stall":
            time.sleep(1.0)
        if api.token is not None and self.headers.get("Authorization") != api.token:
            self._give(401, b"{}", {})
            return
        refusals = {"unavailable": 503, "busy": 429, "missing": 410}
        if trouble in refusals:
            self._give(refusals[trouble], b"{}", {"Retry-After": api.retry_after} if trouble == "busy" else {})
            return
        if trouble == "elsewhere":
            self._give(302, b"", {"Location": "http://127.0.0.2:1/number"})
            return
        body, headers = self._page()
        if trouble == "garbage":
            body = b"<html>Busy, sorry</html>"
        self._give(200, body, headers, cut=trouble == "cut", drip=trouble == "drip")

    def _page(self) -> tuple[bytes, dict[str, str]]:
        api, parts = self.told, urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        kind = parts.path.strip("/")
        number = int(query.get("page", "1")) - 1 if kind != "token" else int(query.get("after", "t0")[1:])
        rows, more = api.page(number, query.get("since"))
        if kind == "link":
            following = urlencode({**query, "page": number + 2})
            link = {"Link": f'<{api.url}/link?{following}>; rel="next", <{api.url}>; rel="first"'} if more else {}
            return json.dumps(rows).encode(), link
        made = {"data": {"items": rows}, "meta": {"next": f"t{number + 1}" if more else None}}
        return json.dumps(made).encode(), {}

    def _give(
        self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False, drip: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if drip:
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                time.sleep(0.05)
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
