"""The guard at the door: who comes, how often they may, and whether they may do what they ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from drivetrain.core.records import TokenScope
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.bucket import rate_of
from drivetrain.serve.denial import Forbidden, RateExceeded
from drivetrain.serve.rates import Rates
from drivetrain.serve.request import RequestHeaders
from drivetrain.serve.routes.route import Route
from drivetrain.serve.tokens import Holder, TokenBook
from drivetrain.store.bundle import Store

OPEN = frozenset({"/healthz", "/v2/health/live", "/ping", "/health"})
"""What anybody may ask: whoever restarts a server that hangs, or sends traffic elsewhere, holds no token."""

SCOPES: Mapping[str, TokenScope] = {
    "predict": "predict",
    "explain": "predict",
    "feedback": "feedback",
    "push": "push",
    "describe": "read",
    "health": "read",
    "metrics": "metrics",
}
"""What a route does → the scope it takes. What is not here is let through for nobody."""

_ABOUT_ENDPOINTS = frozenset({"predict", "feedback"})


class Guard:
    """Lets requests in, or not.

    Args:
        settings: Whether tokens are asked for, and the rate of those without.
        store: Where tokens are.
        routes: Every route there is.
        folder: Where workers keep what they share.
    """

    def __init__(self, settings: ServeSettings, store: Store, routes: Iterable[Route], folder: Path) -> None:
        self._open = OPEN & {route.path for route in routes}
        self._rates = Rates(folder, settings.workers)
        self._book = TokenBook(store.catalog, self._rates) if settings.tokens == "on" else None
        rate = rate_of(settings.rate)
        self._bucket = self._rates.bucket("", rate) if rate and self._book is None else None

    @property
    def idle(self) -> bool:
        """Whether it would let everybody in."""
        return self._book is None and self._bucket is None

    def start(self) -> None:
        """Reads tokens."""
        if self._book is not None:
            self._book.start()

    def close(self) -> None:
        """Stops reading them."""
        if self._book is not None:
            self._book.close()
        self._rates.close()

    def identify(self, path: str, headers: RequestHeaders, at: float) -> Holder | None:
        """Who comes; nobody where no token is asked for.

        Args:
            path: Path of the request.
            headers: Its headers.
            at: Seconds, monotonic.

        Raises:
            Unauthorised: A token is needed, and there is no good one.
            RateExceeded: They have come too often.
            NotReady: Tokens can't be checked at the moment.
        """
        if path in self._open:
            return None
        if self._book is None:
            if self._bucket is not None and (wait := self._bucket.wait(at)):
                raise RateExceeded("more requests come than this server takes", self._bucket.rate, wait)
            return None
        holder = self._book.holder(headers.get("authorization"))
        if holder.bucket is not None and (wait := holder.bucket.wait(at)):
            raise RateExceeded(f"token {holder.name!r} comes more often than it may", holder.bucket.rate, wait)
        return holder

    def permit(self, holder: Holder | None, route: Route) -> None:
        """Makes sure that they may do what they ask.

        Raises:
            Forbidden: Their token is for something else.
        """
        if holder is None:
            return
        scope = SCOPES.get(route.name)
        if scope not in holder.scopes:
            raise Forbidden(
                f"token {holder.name!r} is not for this",
                found=f"scope {', '.join(sorted(holder.scopes))}",
                expected=f"scope {scope}" if scope else "nobody's",
            )
        if holder.endpoints and route.endpoint not in holder.endpoints:
            # What is about the whole server goes by scope alone, but for what could name any endpoint beside the path.
            if not route.endpoint and scope not in _ABOUT_ENDPOINTS:
                return
            raise Forbidden(
                f"token {holder.name!r} is not for this endpoint",
                found=route.endpoint or "a path for every endpoint",
                expected=" or ".join(sorted(holder.endpoints)),
            )
