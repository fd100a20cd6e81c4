"""A JSON document by HTTP POST, with every way it can fail in one sentence that holds no secret."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from drivetrain.core.errors import SinkAway
from drivetrain.monitor.alerting.secret import hide, reveal

_LONGEST_WAIT = 3600.0


def post(who: str, url: str, body: object, *, headers: Mapping[str, str] | None = None, timeout: float = 5.0) -> None:
    """Posts a document and waits for the answer.

    Args:
        who: The sink's label.
        url: Where to; or the environment variable that says it.
        body: What msgspec can encode.
        headers: More headers; values may name environment variables.
        timeout: Seconds to wait for it.

    Raises:
        SinkAway: The receiver is away, or answered with an error.
    """
    address = reveal(url)
    named = {name: reveal(value) for name, value in (headers or {}).items()}
    secrets = [address, *named.values()]
    if not address.startswith(("http://", "https://")):
        raise SinkAway(f"{who} has no web address", do="It starts with http:// or https://")
    try:
        request = urllib.request.Request(  # noqa: S310 - only http and https, see above
            address,
            data=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "User-Agent": "drivetrain", **named},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - as above
            status, after = int(answer.status), None
    except urllib.error.HTTPError as error:
        status, after = error.code, _seconds(error.headers.get("Retry-After"))
        error.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SinkAway(f"{who} can't be reached: {hide(str(error), secrets)}") from None
    if status >= HTTPStatus.BAD_REQUEST or status < HTTPStatus.OK:
        raise SinkAway(f"{who} refused a message", found=f"HTTP {status}", after=after)


def _seconds(text: str | None) -> float | None:
    """Seconds of a ``Retry-After``; a date is left to our own patience."""
    return min(float(text), _LONGEST_WAIT) if text and text.isascii() and text.isdigit() else None
