"""TLS by files: looked at before any worker starts, so that what is wrong is said in a sentence."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from drivetrain.core.errors import SettingsError
from drivetrain.core.settings import ServeSettings


class Tls(NamedTuple):
    """What a server needs to speak TLS."""

    certificate: Path
    key: Path


def tls_of(settings: ServeSettings) -> Tls | None:
    """The files that the settings name, checked against each other; none where they name none.

    Raises:
        SettingsError: One is missing, can't be read, or does not go with the other; or the key has a password.
    """
    if not settings.tls_certificate and not settings.tls_key:
        return None
    for name, path in (("tls_certificate", settings.tls_certificate), ("tls_key", settings.tls_key)):
        if not path:
            raise SettingsError(f"serve.{name} is empty", expected="both a certificate and its key, or neither")
        _readable(name, Path(path))
    found = Tls(Path(settings.tls_certificate), Path(settings.tls_key))
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
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.certificate, found.key, password)
    except (ssl.SSLError, ValueError) as error:
        if asked:
            # granian (2.8) fails on every such key, in its workers and without a word to who starts it.
            raise SettingsError(
                f"the TLS key {found.key} has a password, which the inference server can't take",
                do=f"Make one without that only the server may read: openssl pkey -in {found.key.name} -out server.key",
            ) from None
        for name, path, mark in (("certificate", found.certificate, "CERTIFICATE"), ("key", found.key, "PRIVATE KEY")):
            if f"{mark}-----".encode() not in path.read_bytes():
                raise SettingsError(
                    f"the file that serve.tls_{name} names holds no {name}", found=path, expected=f"PEM, with {mark}"
                ) from None
        reason = getattr(error, "reason", None) or error
        if reason == "KEY_VALUES_MISMATCH":
            raise SettingsError(
                "the TLS key is not that of the certificate",
                found=f"{found.key} beside {found.certificate}",
                do="Name the two files that were made together",
            ) from None
        raise SettingsError(
            f"the TLS certificate and key can't be used: {reason}", found=f"{found.certificate}, {found.key}"
        ) from None
