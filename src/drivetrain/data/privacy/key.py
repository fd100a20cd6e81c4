"""Secrets that digests and tokens are made with: they live in the environment or in a file, never in a table."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path

from drivetrain.core.errors import SettingsError

_BYTES = 32


def read_key(place: str, folder: Path, *, make: bool = False) -> bytes:
    """A secret key of 32 bytes or more.

    Args:
        place: ``env:NAME`` or ``file:path``, relative to ``folder``. There is base64, hex, or bytes as they are.
        folder: The project folder.
        make: Whether a file that is not there is made, for its owner's eyes only.

    Raises:
        SettingsError: The place can't be read, or holds too little to be a secret.
    """
    scheme, _, rest = place.partition(":")
    if scheme == "env" and rest:
        text = os.environ.get(rest)
        if text is None:
            raise SettingsError(f"the key {place} is not there", do=f"Set the environment variable {rest}")
        return _strong(text.encode(), place)
    if scheme != "file" or not rest:
        raise SettingsError("a key's place can't be read", found=repr(place), expected="env:NAME or file:PATH")
    path = folder / rest
    try:
        if make and not path.exists():
            _make(path)
        return _strong(path.read_bytes(), place)
    except OSError as error:
        raise SettingsError(
            f"the key {place} can't be read: {error.strerror}",
            do="Make one: python -c 'import secrets; print(secrets.token_hex(32))'",
        ) from error


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, secrets.token_hex(_BYTES).encode())
        os.fsync(file)
    finally:
        os.close(file)
    with suppress(FileExistsError):  # the first to come stays
        path.hardlink_to(draft)
    draft.unlink()


def _strong(raw: bytes, place: str) -> bytes:
    text = raw.strip()
    for decode in (binascii.unhexlify, lambda part: base64.b64decode(part, validate=True)):
        try:
            key = decode(text)
        except (binascii.Error, ValueError):
            continue
        if len(key) >= _BYTES:
            return key
    if len(text) >= _BYTES:
        return text
    raise SettingsError(f"the key {place} is too short", found=f"{len(text)} bytes", expected=f"{_BYTES} or more")
