"""A body's type and encoding, as its headers say."""

from __future__ import annotations

import zlib
from typing import ClassVar

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.instance import show
from drivetrain.serve.refusal import Malformed, TooLarge
from drivetrain.serve.request import Request

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class WrongType(RequestError):
    """A body of a type or encoding that the protocol does not have."""

    status: ClassVar[int] = 415


def content_type(request: Request) -> str:
    """The body's media type; JSON if nothing says so.

    Raises:
        WrongType: It is neither JSON nor CSV, is not in UTF-8, or is CSV without a header line.
    """
    kind, parameters = _parsed(request.headers.get("content-type") or JSON_TYPE)
    if kind not in {JSON_TYPE, CSV_TYPE}:
        raise WrongType(
            "bodies of this type can't be read",
            field="content-type",
            found=show(kind),
            expected=f"{JSON_TYPE} or {CSV_TYPE}",
        )
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in {"utf-8", "utf8", "us-ascii", "ascii"}:
        raise WrongType("the body is in another encoding", field="content-type", found=show(charset), expected="utf-8")
    if kind == CSV_TYPE and parameters.get("header", "present").lower() != "present":
        raise WrongType("the table has no header line", field="content-type", found="header=absent")
    return kind


def prefers_csv(request: Request) -> bool:
    """Whether ``Accept`` names CSV, and JSON not as much."""
    weights = dict.fromkeys((CSV_TYPE, JSON_TYPE), 0.0)
    for choice in (request.headers.get("accept") or "").split(","):
        kind, parameters = _parsed(choice)
        if kind in weights:
            weights[kind] = max(weights[kind], _weight(parameters.get("q", "1")))
    return weights[CSV_TYPE] > weights[JSON_TYPE]


def inflated(request: Request, settings: ServeSettings) -> bytes:
    """The body without its ``Content-Encoding``, which may be gzip or deflate.

    Raises:
        WrongType: It has another encoding.
        Malformed: It is not what it says.
        TooLarge: It grows over ``max_bytes``.
    """
    encoding = (request.headers.get("content-encoding") or "identity").strip().lower()
    if encoding == "identity":
        return request.body
    if encoding not in _WINDOWS:
        raise WrongType(
            "bodies of this encoding can't be read",
            field="content-encoding",
            found=show(encoding),
            expected="gzip or deflate",
        )
    inflater = zlib.decompressobj(_WINDOWS[encoding])
    try:
        body = inflater.decompress(request.body, settings.max_bytes + 1)
    except zlib.error as error:
        raise Malformed(f"the body is no {encoding}: {error}", field="content-encoding") from None
    if len(body) > settings.max_bytes:
        raise TooLarge(
            "the body is too large", found="more once inflated", expected=f"at most {settings.max_bytes} bytes"
        )
    if not inflater.eof or inflater.unused_data:
        raise Malformed(f"the body is not one whole {encoding} stream", field="content-encoding")
    return body


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    return kind.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
