"""Tokens of the project's inference server: made, listed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, get_args

import msgspec
from msgspec.structs import replace

from drivetrain.core.clock import Micros, duration, iso, now
from drivetrain.core.errors import RefusedError, UnknownName, UsageError
from drivetrain.core.records import Token, TokenScope
from drivetrain.loop.definitions import Definitions
from drivetrain.serve.bucket import rate_of
from drivetrain.serve.tokens import mint


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be told of a token.

    Attributes:
        name: Who or what it was made for.
        id: Its public part, as access logs have it.
        state: Whether it is taken.
        scopes: What it is for.
        endpoints: The only endpoints it is for; none stands for all.
        made: When, ISO 8601.
        expires: When it ends; none for never.
        revoked: Since when it is not taken any more.
        rate: Requests a second; 0 for no limit.
    """

    name: str
    id: str
    state: Literal["good", "expired", "revoked"]
    scopes: tuple[str, ...]
    endpoints: tuple[str, ...]
    made: str
    expires: str | None
    revoked: str | None
    rate: float


class NewToken(TokenInfo, frozen=True, kw_only=True):
    """A token just made.

    Attributes:
        token: The token itself: shown this once, and kept nowhere.
    """

    token: str


class Tokens:
    """The tokens that the project's inference server takes, where ``serve.tokens`` is ``"on"``.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        endpoints: Sequence[str] = (),
        expires: str | timedelta | None = None,
        rate: str = "",
    ) -> NewToken:
        """Makes a token; running servers take it within a second.

        Args:
            name: Who or what it is for. A name whose token was revoked or has expired may be given again.
            scopes: What it is for: ``predict``, ``feedback``, ``push``, ``read``, ``metrics``.
            endpoints: The only endpoints it is to predict with, label and read about; all by default.
            expires: After how long it ends, such as ``"90d"``; never by default.
            rate: Requests that are taken with it, such as ``"100/s"``, by all workers of a server together.

        Raises:
            UsageError: A scope, a duration or a rate that is none.
            UnknownName: There is no such endpoint.
            RefusedError: A good token goes by that name.
            Conflict: Somebody else made one of that name at the same moment.
        """
        chosen = _checked(name, scopes)
        for endpoint in endpoints:
            self._project.find_endpoint(endpoint)
        lasts = None if expires is None else duration(expires)
        if lasts == 0:
            raise UsageError("a token that lasts no time is of no use", found=repr(expires), expected="such as '90d'")
        catalog = self._project.store.catalog
        before, moment = catalog.get(Token, name), now()
        if before is not None and _state(before, moment) == "good":
            raise RefusedError(
                f"a good token goes by {name!r} already", do=f"Choose another name, or: drivetrain token revoke {name}"
            )
        minted = mint()
        token = Token(
            at=moment,
            name=name,
            id=minted.id,
            salt=minted.salt,
            digest=minted.digest,
            scopes=chosen,
            endpoints=tuple(dict.fromkeys(endpoints)),
            expires=0 if lasts is None else moment + lasts,
            rate=rate_of(rate),
        )
        catalog.commit(token, expect={token.ref: catalog.record_revision(token.ref) if before else 0})
        return NewToken(**msgspec.structs.asdict(_info(token, moment)), token=minted.text)

    def list(self) -> list[TokenInfo]:
        """Every token there is or was, newest first."""
        moment = now()
        return [_info(token, moment) for token in self._project.store.catalog.find(Token)]

    def revoke(self, name: str) -> TokenInfo:
        """Ends a token; running servers refuse it within a second. One that is revoked already stays as it is.

        Raises:
            UnknownName: No token goes by that name.
        """
        catalog = self._project.store.catalog
        token = catalog.get(Token, name)
        if token is None:
            known = ", ".join(sorted(one.name for one in catalog.find(Token)))
            raise UnknownName(f"no token is called {name!r}", expected=f"one of {known}" if known else None)
        moment = now()
        if not token.revoked:
            token = replace(token, revoked=moment)
            catalog.commit(token)
        return _info(token, moment)


def _checked(name: str, scopes: Sequence[str]) -> tuple[TokenScope, ...]:
    if not name.strip() or not name.isprintable():
        raise UsageError("a token needs a name", found=repr(name), expected="who or what it is for")
    known: tuple[TokenScope, ...] = get_args(TokenScope)
    odd = [scope for scope in scopes if scope not in known]
    if odd or not scopes:
        raise UsageError(
            "a token is for at least one thing" if not scopes else f"{odd[0]!r} is no scope",
            expected=f"some of {', '.join(known)}",
        )
    return tuple(scope for scope in known if scope in scopes)


def _state(token: Token, moment: Micros) -> Literal["good", "expired", "revoked"]:
    if token.revoked:
        return "revoked"
    return "expired" if token.expires and moment >= token.expires else "good"


def _info(token: Token, moment: Micros) -> TokenInfo:
    return TokenInfo(
        name=token.name,
        id=token.id,
        state=_state(token, moment),
        scopes=token.scopes,
        endpoints=token.endpoints,
        made=iso(token.at),
        expires=iso(token.expires) if token.expires else None,
        revoked=iso(token.revoked) if token.revoked else None,
        rate=token.rate,
    )
