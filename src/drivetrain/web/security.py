"""What a browser may do with our pages, and who may ask for changes."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request, Response

from drivetrain.core.errors import RequestError

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
CARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
"""A model card is a document of its own: it may style itself, and nothing else."""

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Foreign(RequestError):
    """A change asked for by another site, or a host name that is not ours."""

    status = 403


async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Adds the headers that keep a page to itself."""
    response = await call_next(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def same_origin(request: Request) -> None:
    """Lets a change through only if it comes from our own pages, or from no browser at all.

    A browser says where a request comes from in ``Sec-Fetch-Site``, or in ``Origin`` where it is older; a request with
    neither is a program's (the check of Go 1.25's ``http.CrossOriginProtection``).

    Raises:
        Foreign: Another site asked for it.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        allowed = site in {"same-origin", "none"}
    else:
        allowed = origin is None or urlsplit(origin).netloc == request.headers.get("host", "")
    if not allowed:
        raise Foreign(
            "this change was asked for by another site", found=origin or site, do="Open the dashboard and ask there"
        )


def local_host(request: Request) -> None:
    """On a loopback address, lets only loopback names through, so that no site can pose as us by its DNS.

    Raises:
        Foreign: The request names another host.
    """
    if not _is_loopback(request.app.state.desk.settings.web.host):
        return
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if not _is_loopback(host):
        raise Foreign(
            "this dashboard listens on this machine only",
            found=f"host {host!r}",
            expected="localhost",
            do="Open it by that name, or set [web] host in drivetrain.toml",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
