"""Rows from an HTTP API that gives JSON, a page at a time."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.core.hashing import Digest, digest
from drivetrain.data.reader import Batch, Unreadable
from drivetrain.data.readers.client import BEARER, Answer, Client, Stale
from drivetrain.data.readers.columns import frame_of_rows, text
from drivetrain.data.readers.sweep import Sweep, short_digest

Pages: TypeAlias = Literal["none", "number", "token", "link"]
BATCH_ROWS = 10_000
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Http:
    """An API; see :func:`http`."""

    url: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    records: str = ""
    pages: Pages = "none"
    page_param: str = "page"
    first_page: int = 1
    next: str = "next"
    cursor: str | None = None
    since_param: str | None = None
    token: str | None = None
    token_header: str = BEARER
    rate: str | None = None
    timeout: float = 30.0
    batch_rows: int = BATCH_ROWS

    @cached_property
    def digest(self) -> Digest:
        """Digest of what it reads and how; not of the token, nor of how fast."""
        return digest(
            [
                ["http", self.url, self.params, self.records],
                [self.pages, self.page_param, self.first_page, self.next],
                [self.cursor, self.since_param],
            ]
        )

    @property
    def words(self) -> str:
        """What it reads, for people."""
        return f"pages of {urllib.parse.urlsplit(self.url)._replace(query='', fragment='').geturl()}"

    def fingerprint(self, folder: Path) -> Digest:  # noqa: ARG002 - an API is nowhere near the project
        """A new one every time: whether there is something new can only be told by asking, which is the work itself.

        Raises:
            SourceError: It does not answer.
        """
        self._client.get(self._url(Sweep(), None), self.url)
        return digest(["http", time.time_ns()])

    def pending(self, folder: Path, cursor: str) -> str | None:  # noqa: ARG002 - as above
        """How many rows the first page holds that were not seen; one request."""
        sweep = Sweep.of(cursor)
        rows, bad = self._rows(self._client.get(self._url(sweep, sweep.next), self.url))
        if self.cursor is None and sweep.next is None:
            same = sweep.pages[:1] == (_page_digest(rows, bad),)
            return None if same else "its first page has changed"
        unseen = len(sweep.unseen(rows, self.cursor)) + len(bad)
        return f"{unseen} row{'s' if unseen > 1 else ''} on its next page" if unseen else None

    def read(self, folder: Path, cursor: str) -> Iterator[Batch]:  # noqa: ARG002 - as above
        """Batches of some pages each, from where the last sweep, or the one that was cut off, came to.

        Raises:
            SourceAway: It does not answer, or says to come back later.
            SourceError: It refuses, or its pages go round in a circle.
        """
        sweep = Sweep.of(cursor)
        try:
            yield from self._swept(sweep)
        except Stale:
            if sweep.next is None:
                raise
            # What named the next page has run out: from the beginning, what is there already changes nothing.
            yield from self._swept(Sweep(since=sweep.since, edge=sweep.edge))

    def _swept(self, before: Sweep) -> Iterator[Batch]:
        sweep, client = before, self._client
        known = dict(enumerate(sweep.pages)) if sweep.next is None else {}
        made = list(sweep.pages) if sweep.next is not None else []
        place, asked = sweep.next, set[str | None]()
        held: dict[Digest, dict[str, Any]] = {}
        bad: list[Unreadable] = []
        while True:
            if place in asked:
                raise SourceError(f"{self.words} goes round in a circle", found=f"the page {place} again")
            asked.add(place)
            answer = client.get(self._url(sweep, place), self.url)
            rows, unreadable = self._rows(answer)
            made.append(_page_digest(rows, unreadable) if self.cursor is None else "")
            if self.cursor is not None or known.get(len(made) - 1) != made[-1]:
                # A page may come twice, under two names.
                held |= {short_digest(row): row for row in sweep.unseen(rows, self.cursor)}
                bad += [one for one in unreadable if one not in bad]
            sweep = sweep.after(rows, self.cursor)
            place = self._next(answer, place, rows)
            if place is None:
                break
            if len(held) + len(bad) >= self.batch_rows:
                sweep = msgspec.structs.replace(sweep, next=place, pages=tuple(made) if self.cursor is None else ())
                yield from self._batches(held, bad, before, sweep)
                before, held, bad = sweep, {}, []
        ended = sweep.ended(made if self.cursor is None else ())
        if held or bad or before.next is not None:
            yield from self._batches(held, bad, before, ended)

    def _batches(
        self, held: dict[Digest, dict[str, Any]], bad: list[Unreadable], before: Sweep, after: Sweep
    ) -> Iterator[Batch]:
        """A page may hold more rows than a batch; reading goes on behind it only from the last of its parts."""
        digests, rows = list(held), list(held.values())
        for at in range(0, max(1, len(rows)), self.batch_rows):
            end = at + self.batch_rows
            last = end >= len(rows)
            here = after if last else msgspec.structs.replace(before, part=digest(digests[:end]))
            yield Batch(
                rows=frame_of_rows(rows[at:end]),
                cursor=here.cursor,
                origin=self.words,
                unreadable=tuple(bad) if last else (),
                more=after.next is not None or not last,
            )

    def _rows(self, answer: Answer) -> tuple[list[dict[str, Any]], list[Unreadable]]:
        found = _at(answer.body, self.records)
        if not isinstance(found, list):
            names = ", ".join(answer.body) if isinstance(answer.body, dict) else type(answer.body).__name__
            raise SourceError(
                f"{self.words} has no list of records at {self.records or 'its top'!r}",
                found=names,
                do='Say where they are: dt.http(…, records="data.items")',
            )
        rows = [row for row in found if isinstance(row, dict)]
        bad = [
            Unreadable(number, f"unreadable row: found {type(row).__name__}, expected an object", text(row) or "null")
            for number, row in enumerate(found, start=1)
            if not isinstance(row, dict)
        ]
        return rows, bad

    def _next(self, answer: Answer, place: str | None, rows: list[dict[str, Any]]) -> str | None:
        if self.pages == "number":
            return str(int(place or self.first_page) + 1) if rows else None
        if self.pages == "token":
            found = _at(answer.body, self.next)
            return None if found is None or found == "" or found is False else str(found)
        if self.pages == "link":
            links = _NEXT.search(", ".join(answer.headers.get_all("Link") or []))
            return links[1] if links else None
        return None

    def _url(self, sweep: Sweep, place: str | None) -> str:
        if place is not None and (self.pages == "link" or place.startswith(("http://", "https://", "/", "?"))):
            return urllib.parse.urljoin(self.url, place)
        parts = urllib.parse.urlsplit(self.url)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        query |= {name: str(value) for name, value in self.params.items()}
        if self.cursor is not None and sweep.since is not None:
            query[self.since_param or self.cursor] = str(sweep.since)
        if self.pages == "number":
            query[self.page_param] = place or str(self.first_page)
        elif place is not None:
            query[self.page_param] = place
        return parts._replace(query=urllib.parse.urlencode(query)).geturl()

    @property
    def _client(self) -> Client:
        return Client(self.words, self.headers, self.token, self.token_header, self.timeout, _gap(self.rate))


def http(url: str, **settings: Any) -> Http:  # noqa: ANN401 - the fields of Http
    """Rows from an HTTP API that answers GET with JSON.

    Each run asks "what is new?" from the first page to the last. The sweep's progress is committed with its rows, so
    that one that was cut off goes on at its page. Rows that come twice, on any page, in any order, change nothing. A
    place that is away, stalls, answers 429, 5xx or half a body is asked again with growing pauses; ``Retry-After`` is
    heeded.

    Args:
        url: What to ask; parameters may stand in it.
        **settings: ``params`` and ``headers``, sent with every request (no secrets); ``records``, where the list of
            rows is in the body (``"data.items"``; its top by default); ``pages``: ``"number"`` (``page_param`` counts
            from ``first_page`` until a page is empty), ``"token"`` (what the body holds at ``next``, token or URL, is
            handed back as ``page_param``), ``"link"`` (the header ``Link: <…>; rel="next"``, RFC 8288) or ``"none"``;
            ``cursor``, the column whose greatest value is sent as ``since_param`` (by default under its own name) the
            next time; ``token``, the *name* of the environment variable that holds the token, sent as a bearer, or as
            it is in another ``token_header``; ``rate``, requests that are allowed, such as ``"5/s"``; ``timeout``,
            seconds for an answer; ``batch_rows``, rows that are committed together.

    Returns:
        A reader. Without ``cursor`` all pages are read each time, and those that changed are taken in.

    Raises:
        ProjectError: A setting is unknown or impossible.

    Example:
        >>> http("https://api.example.org/orders?state=paid", records="orders", pages="link", cursor="updated").words
        'pages of https://api.example.org/orders'
    """
    unknown = [name for name in settings if name not in Http.__dataclass_fields__ or name == "url"]
    if unknown:
        known = ", ".join(name for name in Http.__dataclass_fields__ if name != "url")
        raise ProjectError("dt.http has no such setting", found=", ".join(unknown), expected=f"one of {known}")
    made = Http(url, **settings)
    if urllib.parse.urlsplit(url).scheme not in ("http", "https") or not urllib.parse.urlsplit(url).netloc:
        raise ProjectError("not the URL of an API", found=repr(url), expected="such as https://api.example.org/orders")
    if made.pages not in get_args(Pages):
        raise ProjectError("pages are named in another way", found=made.pages, expected=", ".join(get_args(Pages)))
    if made.since_param is not None and made.cursor is None:
        raise ProjectError("since_param is sent a column's greatest value", do="Name the column: cursor=…")
    if made.batch_rows < 1 or made.timeout <= 0:
        raise ProjectError("batch_rows and timeout are more than 0", found=f"{made.batch_rows} and {made.timeout}")
    _gap(made.rate)
    return made


def _at(body: Any, path: str) -> Any:  # noqa: ANN401 - JSON
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def _page_digest(rows: list[dict[str, Any]], bad: list[Unreadable]) -> Digest:
    """Of what a page holds, in whatever order."""
    return short_digest([sorted(map(short_digest, rows)), [one.text for one in bad]])


def _gap(rate: str | None) -> float:
    if rate is None:
        return 0.0
    found = _RATE.fullmatch(rate)
    if found is None or not float(found[1]):
        raise ProjectError("not a rate", found=repr(rate), expected="requests a second, minute or hour, such as '5/s'")
    return _SECONDS[found[2]] / float(found[1])
