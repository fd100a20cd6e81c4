"""TLS by files: looked at before any worker starts, so that what is wrong is said in a sentence."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import NamedTuple

from drivetrain.core.errors import SettingsError
from drivetrain.core.settings import ServeSettings

PASSWORD_VARIABLE = "DRIVETRAIN_TLS_PASSWORD"  # noqa: S105 - where one is, not one


class Tls(NamedTuple):
    """What a server needs to speak TLS."""

    certificate: Path
    key: Path
    password: str | None


def tls_of(settings: ServeSettings) -> Tls | None:
    """The files that the settings name, checked against each other; none where they name none.

    Raises:
        SettingsError: One is missing, can't be read, or does not go with the other.
    """
    if not settings.tls_certificate and not settings.tls_key:
        return None
    for name, path in (("tls_certificate", settings.tls_certificate), ("tls_key", settings.tls_key)):
        if not path:
            raise SettingsError(f"serve.{name} is empty", expected="both a certificate and its key, or neither")
        _readable(name, Path(path))
    found = Tls(Path(settings.tls_certificate), Path(settings.tls_key), os.environ.get(PASSWORD_VARIABLE) or None)
    _check(found)
    return found


def _readable(name: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"the file that serve.{name} names can't be read: {error.strerror or error}", found=path
        ) from None


def _check(found: Tls) -> None:
    try:
        # An empty password instead of none: OpenSSL would ask for one on the terminal, and wait.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.certificate, found.key, found.password or "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(
                "the TLS key is not that of the certificate",
                found=f"{found.key} beside {found.certificate}",
                do="Name the two files that were made together",
            ) from None
        for name, path, mark in (
            ("certificate", found.certificate, b"-----BEGIN CERTIFICATE-----"),
            ("key", found.key, b"PRIVATE KEY-----"),
        ):
            if mark not in path.read_bytes():
                raise SettingsError(
                    f"the file that serve.tls_{name} names holds no {name}", found=path, expected=f"PEM, with {mark!r}"
                ) from None
        if b"ENCRYPTED" in found.key.read_bytes():
            raise SettingsError(
                f"the TLS key {found.key} can't be opened: "
                + ("the password is not right" if found.password else "it has a password"),
                do=f"Say it in the variable {PASSWORD_VARIABLE}",
            ) from None
        raise SettingsError(
            f"the TLS certificate and key can't be used: {error.reason or error}",
            found=f"{found.certificate}, {found.key}",
        ) from None
