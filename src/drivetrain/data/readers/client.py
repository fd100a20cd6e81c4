"""One GET at a time: with a token, in time, no oftener than allowed, and whole or not at all."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPMessage
from typing import IO, Any, NoReturn

from drivetrain.core.errors import SourceAway, SourceError

BEARER = "Authorization"
"""The header in which a token follows the word ``Bearer`` (RFC 6750)."""
MOST_BYTES = 256 << 20
_PIECE = 1 << 16
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_GONE = {400, 404, 410, 416, 422}


class Stale(SourceError):
    """The place refuses what a request asks for; one that goes on from an old page may have to begin again."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    body: Any
    """Decoded JSON; a list where it was JSON lines."""
    headers: Message


@dataclass
class Client:
    """Asks one place.

    Attributes:
        words: What is read, for messages.
        headers: Sent with every request.
        token: Name of the environment variable that holds the token, if one is needed.
        token_header: The header that carries it; in ``Authorization`` it follows the word ``Bearer``.
        timeout: Seconds that an answer may take, from the first byte asked to the last received.
        gap: Least seconds between two requests.
    """

    words: str
    headers: Mapping[str, str]
    token: str | None
    token_header: str
    timeout: float
    gap: float
    _last: float = 0.0

    def get(self, url: str, home: str) -> Answer:
        """The answer to a GET.

        Args:
            url: What to ask.
            home: The URL that was declared: a token is sent to its origin only, and nothing else is asked.

        Raises:
            SourceAway: No answer, or none that is whole; or the place says to come back later.
            Stale: It knows no such page.
            SourceError: It refuses, or what it says is no JSON.
        """
        if _origin(url) != _origin(home):
            raise SourceError(
                f"{self.words} sends us elsewhere for its next page", found=_origin(url), expected=_origin(home)
            )
        wait = self._last + self.gap - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._last = time.monotonic()
        request = urllib.request.Request(url, headers={"Accept": "application/json", **self.headers})  # noqa: S310
        if self.token is not None:
            request.add_unredirected_header(self.token_header, self._secret())
        try:
            with _OPENER.open(request, timeout=self.timeout) as answer:
                return Answer(self._decoded(self._whole(answer)), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error.code, error.headers)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            said = "it does not answer in time" if isinstance(reason, TimeoutError) else str(reason) or repr(reason)
            raise SourceAway(f"{self.words} can't be read: {said}", do="Check the address, or try later") from None

    def _secret(self) -> str:
        secret = os.environ.get(str(self.token), "")
        if not secret:
            raise SourceError(
                f"{self.words} needs a token", found=f"no {self.token} in the environment", do=f"Set {self.token}"
            )
        return f"Bearer {secret}" if self.token_header == BEARER else secret

    def _whole(self, answer: IO[bytes]) -> bytes:
        until = time.monotonic() + self.timeout
        data = bytearray()
        read = getattr(answer, "read1", answer.read)
        while piece := read(_PIECE):
            data += piece
            if len(data) > MOST_BYTES:
                raise SourceError(
                    f"{self.words} answers with more than {MOST_BYTES >> 20} MiB", do="Ask for less a page"
                )
            if time.monotonic() > until:
                raise TimeoutError
        left = getattr(answer, "length", None)
        if left:
            raise http.client.IncompleteRead(b"", left)
        return bytes(data)

    def _decoded(self, data: bytes) -> Any:  # noqa: ANN401 - JSON
        try:
            return json.loads(data)
        except ValueError as error:
            lines = data.splitlines()
            if len(lines) > 1:
                try:
                    return [json.loads(line) for line in lines if line.strip()]
                except ValueError:
                    pass
            shown = data[:80].decode("utf-8", "replace")
            raise SourceAway(f"{self.words} answers with what is no JSON: {error}", found=repr(shown)) from None

    def _refused(self, status: int, headers: Message) -> NoReturn:
        said = f"{status} {http.client.responses.get(status, '')}".strip()
        if status in _PASSING:
            raise SourceAway(f"{self.words} answers {said}", after=_seconds(headers.get("Retry-After")))
        if status in (401, 403):
            do = f"Check the token in {self.token}" if self.token else "It needs a token: dt.http(…, token=NAME)"
            raise SourceError(f"{self.words} answers {said}", do=do)
        raise (Stale if status in _GONE else SourceError)(f"{self.words} answers {said}", do="Check the URL")


class _AtHome(urllib.request.HTTPRedirectHandler):
    """Follows where a place moves things within itself."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if _origin(newurl) != _origin(req.full_url):
            raise SourceError(f"{_origin(req.full_url)} sends us elsewhere", found=_origin(newurl), do="Name that URL")
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None:
            for name, value in req.unredirected_hdrs.items():
                made.add_unredirected_header(name, value)
        return made


_OPENER = urllib.request.build_opener(_AtHome)


def _origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _seconds(text: str | None) -> float | None:
    """``Retry-After`` (RFC 9110, 10.2.3): seconds, or a date."""
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
