"""Refusals at the door, before a request is looked at."""

from __future__ import annotations

from math import ceil
from typing import ClassVar

from drivetrain.core.errors import Overloaded, RequestError
from drivetrain.serve.response import Headers, Response

_CLOSING = frozenset({408, 413})


class Unauthorised(RequestError):
    """No token, or one that is not good (any more); RFC 6750 has a bearer's caller told so in a header."""

    status: ClassVar[int] = 401
    headers: ClassVar[Headers] = [("www-authenticate", "Bearer")]


class Forbidden(RequestError):
    """A good token, made for something else."""

    status: ClassVar[int] = 403


class SlowBody(RequestError):
    """A body that took longer to arrive than it may."""

    status: ClassVar[int] = 408


class RateExceeded(Overloaded):
    """More requests than agreed.

    Args:
        what: Whose rate, and what is wrong.
        rate: Requests a second that may come.
        wait: Seconds until the next one is.
    """

    def __init__(self, what: str, rate: float, wait: float) -> None:
        super().__init__(what, expected=f"at most {rate:g} a second", do=f"Come again in {_whole(wait)} s")
        self.headers: Headers = [("retry-after", str(_whole(wait)))]


def completed(response: Response, error: Exception) -> Response:
    """An error's answer with the headers that HTTP asks for, whichever shape the protocol gave its body.

    Every 429 and 503 says when to come again; where a body was left unread, the connection ends with the answer.
    """
    headers: Headers = list(getattr(error, "headers", ()))
    told = {name for name, _ in headers}
    headers += [(name, value) for name, value in response.headers if name not in told]
    if response.status in {429, 503} and "retry-after" not in {name for name, _ in headers}:
        headers.append(("retry-after", "1"))
    if response.status in _CLOSING:
        headers.append(("connection", "close"))
    return response._replace(headers=headers)


def _whole(seconds: float) -> int:
    return max(1, ceil(seconds))
