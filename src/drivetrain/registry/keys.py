"""The files that keys are in: read, and made, with the care that private keys need."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from drivetrain.core import plugins
from drivetrain.core.errors import SettingsError, StoreError, UsageError
from drivetrain.core.hashing import Digest
from drivetrain.core.signing import MakeKeyPair, ReadSigningKey, ReadVerifyKey, SigningKey, VerifyKey

ADAPTER = "cryptography"
PRIVATE, PUBLIC = "signing.pem", "verify.pem"
"""What the files of a new key are called."""


class KeyFiles(NamedTuple):
    """A key just made.

    Attributes:
        id: By which records name it.
        private: The file of its private half, which only its owner may read.
        public: The file of its public half.
    """

    id: Digest
    private: Path
    public: Path


def read_signing_key(path: Path) -> SigningKey:
    """The private key in a file.

    Raises:
        SettingsError: The file can't be read, holds no such key, or others than its owner may read it too.
        MissingExtra: The library that signs is not installed.
    """
    read: ReadSigningKey = plugins.load("signing_key", ADAPTER)
    place = f"the private key {path} (registry.signing_key)"
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:  # as ssh does; elsewhere the bits say nothing
                raise SettingsError(
                    f"{place} may be read or changed by others",
                    found=f"mode {mode:04o}",
                    expected="0600",
                    do=f"Run: chmod 600 {path}. If somebody may have read it, make another key",
                )
            return read(file.read(), place)
    except OSError as error:
        raise _unreadable(place, error) from None


def read_verify_key(path: Path) -> VerifyKey:
    """The public key in a file.

    Raises:
        SettingsError: The file can't be read, or holds no such key.
        MissingExtra: The library that verifies is not installed.
    """
    read: ReadVerifyKey = plugins.load("verify_key", ADAPTER)
    place = f"the public key {path} (registry.verify_key)"
    try:
        return read(path.read_bytes(), place)
    except OSError as error:
        raise _unreadable(place, error) from None


def make_keys(folder: Path) -> KeyFiles:
    """Makes a key in a folder; never over one that is there.

    Args:
        folder: Where; made, for its owner alone, if it is not there.

    Raises:
        UsageError: A key is there.
        StoreError: The files can't be written.
        MissingExtra: The library that makes keys is not installed.
    """
    make: MakeKeyPair = plugins.load("key_pair", ADAPTER)
    pair = make()
    made = KeyFiles(pair.id, folder / PRIVATE, folder / PUBLIC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = next((path for path in made[1:] if path.exists()), None)
        if there is not None:
            raise FileExistsError(str(there))
        _write(made.private, pair.private, 0o600)
        _write(made.public, pair.public, 0o644)
    except FileExistsError as error:
        raise UsageError(
            f"a key is there already: {error.filename or error}",
            do="Choose another folder; a key that signed versions is still needed to verify them",
        ) from None
    except OSError as error:
        raise StoreError(f"the key can't be written to {folder}: {error.strerror or error}") from error
    return made


def _write(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _unreadable(place: str, error: OSError) -> SettingsError:
    return SettingsError(
        f"{place} can't be read: {error.strerror or error}",
        do="Put it there, name another file, or make a pair with: drivetrain key create FOLDER",
    )
