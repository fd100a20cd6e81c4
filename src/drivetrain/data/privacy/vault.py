"""Values that can be read again by who holds a key, until their subject's key is destroyed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from drivetrain.core import plugins
from drivetrain.core.clock import now
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import VaultKey
from drivetrain.data.privacy.key import read_key
from drivetrain.data.treatment import Keys, check_place

MARK = "v1."
_NONCE = 12


@dataclass(frozen=True)
class Vault:
    """A token in the value's place: the value under AES-256-GCM (NIST SP 800-38D) with a key of its subject's own.

    Each subject's key is kept in the catalog, wrapped by the master key, which is not. To forget the subject is to
    destroy their key: no copy or backup of a token can be read after that. Equal values of one subject become equal
    tokens: the nonce is a keyed digest of the value, so that none comes twice for two values.

    Attributes:
        key: Where the master key is: ``env:NAME`` or ``file:path``.
        subject: The column that says whose value it is.
    """

    key: str
    subject: str

    def __post_init__(self) -> None:
        check_place(self.key)

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("vault", self.key, self.subject)

    @property
    def keeps_apart(self) -> bool:
        """Equal values of two subjects become different ones."""
        return False

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:
        """Tokens; a value without a subject is not kept."""
        subjects = rows[self.subject].cast(pl.String)
        values = rows[column].cast(pl.String)
        known = keys.subjects(self.key, subjects.unique().drop_nulls().to_list())
        made = [
            None if whose is None or text is None else seal(known[whose], text)
            for whose, text in zip(subjects.to_list(), values.to_list(), strict=True)
        ]
        return pl.Series(column, made, dtype=pl.String)


def vault(*, key: str, subject: str) -> Vault:
    """A token that can be read again, until its subject's key is destroyed: see :class:`Vault`.

    Args:
        key: Where the master key is: ``env:NAME`` or ``file:path``.
        subject: The column that says whose value it is.
    """
    return Vault(key, subject)


def seal(key: bytes, text: str) -> str:
    """A token of a text."""
    nonce = hmac.new(key, b"nonce" + text.encode(), hashlib.sha256).digest()[:_NONCE]
    sealed = _cipher(key).encrypt(nonce, text.encode(), MARK.encode())
    return MARK + base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(key: bytes, token: str) -> str:
    """The text of a token.

    Raises:
        RefusedError: It is no token of that key.
    """
    raw = base64.urlsafe_b64decode(token.removeprefix(MARK).encode())
    return bytes(_cipher(key).decrypt(raw[:_NONCE], raw[_NONCE:], MARK.encode())).decode()


class KeyRing:
    """Keys of treatments: those of places, and those of subjects, which the catalog keeps wrapped.

    Args:
        catalog: Where wrapped keys are.
        folder: The project folder.
    """

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self._catalog = catalog
        self._folder = folder

    def key(self, place: str) -> bytes:
        """The key in a place."""
        return read_key(place, self._folder)

    def subjects(self, place: str, subjects: Sequence[str]) -> dict[str, bytes]:
        """Subject → its own key, made where there is none."""
        master, found, fresh = self.key(place), {}, []
        for subject in subjects:
            name = name_of(master, subject)
            kept = self._catalog.get(VaultKey, name)
            if kept is None:
                key = secrets.token_bytes(32)
                fresh.append(VaultKey(at=now(), name=name, wrapped=_wrap(master, name, key)))
                found[subject] = key
            else:
                found[subject] = _unwrap(master, name, kept.wrapped)
        if fresh:
            self._catalog.commit(*fresh, expect={one.ref: 0 for one in fresh})
        return found

    def known(self, place: str, subject: str) -> bytes | None:
        """A subject's key; none where it was destroyed, or never was."""
        master = self.key(place)
        kept = self._catalog.get(VaultKey, name_of(master, subject))
        return None if kept is None else _unwrap(master, kept.name, kept.wrapped)

    def destroy(self, place: str, subject: str) -> int:
        """Destroys a subject's key; how many there were."""
        return self._catalog.erase(f"{VaultKey.kind}:{name_of(self.key(place), subject)}")


def name_of(master: bytes, subject: str) -> str:
    """What the record of a subject's key is called."""
    return hmac.new(master, b"subject" + subject.encode(), hashlib.sha256).hexdigest()


def _wrap(master: bytes, name: str, key: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + bytes(_cipher(_wrapping(master)).encrypt(nonce, key, name.encode()))


def _unwrap(master: bytes, name: str, wrapped: bytes) -> bytes:
    return bytes(_cipher(_wrapping(master)).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], name.encode()))


def _wrapping(master: bytes) -> bytes:
    return hashlib.sha256(b"wrap" + master).digest()


def _cipher(key: bytes) -> Any:  # noqa: ANN401 - an adapter's
    return plugins.load("cipher", "cryptography")(key)
