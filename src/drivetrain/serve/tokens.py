"""Tokens as a worker knows them: read from the catalog, kept while it is away, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from typing import NamedTuple

from drivetrain.core.clock import Micros, now
from drivetrain.core.errors import NotReady, StoreError
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Token
from drivetrain.serve.bucket import Bucket
from drivetrain.serve.denial import Unauthorised
from drivetrain.serve.rates import Rates

LOOK_SECONDS = 0.25
_SILENT_SECONDS = 5.0
"""How long the end waits for a catalog that does not answer."""
_MARK = "dt_"
_ID = 12
_ID_ENDS = len(_MARK) + _ID
_SCHEME = "bearer "

_log = logging.getLogger(__name__)


class Minted(NamedTuple):
    """A new token and what may be kept of it."""

    text: str
    id: str
    salt: str
    digest: str


class Holder(NamedTuple):
    """Whoever comes with a token."""

    id: str
    name: str
    salt: bytes
    digest: bytes
    scopes: frozenset[str]
    endpoints: frozenset[str]
    expires: Micros
    rate: float
    bucket: Bucket | None


_NOBODY = Holder("", "", b"", bytes(32), frozenset(), frozenset(), 0, 0.0, None)


def mint() -> Minted:
    """A token of 256 random bits: ``dt_<id>_<secret>``.

    Example:
        >>> made = mint()
        >>> made.text.startswith(f"dt_{made.id}_"), made.text in made.digest
        (True, False)
    """
    name, salt = secrets.token_hex(_ID // 2), secrets.token_bytes(16)
    text = f"{_MARK}{name}_{secrets.token_hex(32)}"
    return Minted(text, name, salt.hex(), _digest(salt, text).hex())


class TokenBook:
    """The tokens of a catalog.

    A thread of its own looks for changes four times a second: loading a large model must not hold up a revocation.

    Args:
        catalog: Where the records are.
        rates: What tokens may come at, over all workers.
    """

    def __init__(self, catalog: Catalog, rates: Rates) -> None:
        self._catalog = catalog
        self._rates = rates
        self._revision = -1
        self._holders: dict[str, Holder] = {}
        self._away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="drivetrain-tokens", daemon=True)

    def start(self) -> None:
        """Reads the tokens there are, then watches."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        """Stops watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_SILENT_SECONDS)

    def look(self) -> None:
        """Reads the tokens again if anything changed; what is known stays if the catalog can't be read."""
        try:
            revision = self._catalog.revision()
            if revision != self._revision:
                found = [token for token in self._catalog.find(Token) if not token.revoked]
                self._holders = {token.id: self._holder(token) for token in found}
                self._revision = revision
            self._away = False
        except StoreError as error:
            if not self._away:
                _log.warning("the tokens known so far go on being taken: %s", error)
            self._away = True

    def holder(self, presented: str | None) -> Holder:
        """Whose token it is.

        Args:
            presented: The ``Authorization`` header.

        Raises:
            Unauthorised: It holds no token that is good.
            NotReady: No token was ever read, as the catalog is away.
        """
        if presented is None or presented[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthorised(
                "this server takes requests with a token only",
                found="none" if presented is None else "another scheme",
                expected="the header Authorization: Bearer dt_…",
                do="Ask whoever runs the server to make one: drivetrain token create NAME --scope predict",
            )
        text = presented[len(_SCHEME) :].strip(" ")
        # Every request is checked anew, against whoever the id names or nobody at all: an answer takes as long either
        # way, no secret stays in memory, and there is nothing to forget when a token is revoked.
        holder = self._holders.get(text[len(_MARK) : _ID_ENDS], _NOBODY)
        if not hmac.compare_digest(_digest(holder.salt, text), holder.digest) or holder is _NOBODY:
            if self._revision < 0:
                raise NotReady("tokens can't be checked: the catalog can't be read", do="Come again in a moment")
            raise Unauthorised("the token is not known", do="Make another: drivetrain token create NAME --scope …")
        if holder.expires and now() >= holder.expires:
            raise Unauthorised(
                f"the token {holder.name!r} has expired", do="Make another: drivetrain token create NAME --scope …"
            )
        return holder

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the watch must outlive a mistake; it is logged and the next look comes
                _log.exception("a look at the tokens failed")

    def _holder(self, token: Token) -> Holder:
        before = self._holders.get(token.id)
        if before is not None and before.rate == token.rate:
            bucket = before.bucket  # another commit to the catalog is no new allowance
        else:
            bucket = self._rates.bucket(token.id, token.rate) if token.rate else None
        return Holder(
            id=token.id,
            name=token.name,
            salt=bytes.fromhex(token.salt),
            digest=bytes.fromhex(token.digest),
            scopes=frozenset(token.scopes),
            endpoints=frozenset(token.endpoints),
            expires=token.expires,
            rate=token.rate,
            bucket=bucket,
        )


def _digest(salt: bytes, text: str) -> bytes:
    return hashlib.sha256(salt + text.encode("utf-8", "surrogatepass")).digest()
