"""HTTP to one MLflow server: with what it asks for by way of a password, over TLS where its address says so."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from typing import IO

from drivetrain.core.errors import SettingsError, StoreError, UsageError

USER, PASSWORD, TOKEN = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"
AUTHORITY = "MLFLOW_TRACKING_SERVER_CERT_PATH"
"""Variable that names the PEM file of the authority that is trusted, as for MLflow's own client."""

_PIECE = 1 << 20
_TRIES = 5
_WAIT = 0.25
"""Seconds before the second try; twice as many before each further one."""
_PASSING = {429, 502, 503, 504}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Connection:
    """Asks one server, again where it is away for a moment.

    What makes something new (a path that ends with ``/create``) is asked once, on a line of its own: of an answer that
    was lost nobody knows whether it was made, and whoever asks anew looks first.

    Args:
        address: Such as ``http://127.0.0.1:5000``, or with a path before the API.
        timeout: Seconds that an answer may take.

    Raises:
        UsageError: It is no such address, or a password is in it.
        SettingsError: The authority's file can't be used, or a password would go over an open line.
    """

    def __init__(self, address: str, *, timeout: float = 60.0) -> None:
        parts = urllib.parse.urlsplit(address.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UsageError("not the address of an MLflow server", found=repr(address), expected="http://HOST:PORT")
        if parts.username or parts.password:
            raise UsageError(
                "an address with a password in it ends up in records and logs",
                found=f"{parts.scheme}://…@{parts.hostname}",
                do=f"Set {USER} and {PASSWORD}, or {TOKEN}",
            )
        try:
            self._host, self._port = parts.hostname, parts.port
        except ValueError:
            raise UsageError("not a port", found=repr(address)) from None
        self.address = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._prefix, self._timeout = parts.path.rstrip("/"), timeout
        self._tls = _tls(os.environ.get(AUTHORITY, "")) if parts.scheme == "https" else None
        self._headers = _vouched(os.environ)
        if self._headers and self._tls is None and self._host not in _LOOPBACK:
            raise SettingsError(
                f"a password would go to {self.address} where anybody on the way can read it",
                expected="https://, or an address of this machine",
                do=f"Put the server behind TLS, or unset {USER}, {PASSWORD} and {TOKEN}",
            )
        self._line: http.client.HTTPConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, *, file: IO[bytes] | None = None,
        into: IO[bytes] | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """One call.

        Args:
            method: HTTP method.
            path: With its query.
            body: JSON.
            file: Sent instead of a body, from its start.
            into: Takes what comes back instead of giving it, emptied first.

        Returns:
            Status and what came back.

        Raises:
            StoreError: The server is away, is not trusted, or sends its callers elsewhere.
        """
        wait, makes = _WAIT, path.endswith("/create")
        if makes:
            self.close()
        for attempt in range(_TRIES):
            try:
                status, said = self._once(method, path, body, file, into)
            except ssl.SSLCertVerificationError as error:
                self.close()
                raise StoreError(
                    f"the MLflow server at {self.address} is not trusted", found=error.verify_message,
                    do=f"Name the file of its authority in {AUTHORITY}",
                ) from None  # fmt: skip
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if attempt == _TRIES - 1 or (makes and not isinstance(error, ConnectionRefusedError)):
                    raise StoreError(
                        f"the MLflow server at {self.address} does not answer: {str(error) or type(error).__name__}",
                        do="Check the address, or try again: what is there already stays, and is not done twice",
                    ) from None
            else:
                if 300 <= status < 400:
                    raise StoreError(f"{self.address} sends us elsewhere", found=status, do="Name that address")
                if status not in _PASSING or attempt == _TRIES - 1:
                    return status, said
            time.sleep(wait)
            wait *= 2
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """Lets go."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _once(
        self, method: str, path: str, body: bytes | None, file: IO[bytes] | None, into: IO[bytes] | None
    ) -> tuple[int, bytes]:
        if self._line is None:
            self._line = self._opened()
        headers = {"accept": "*/*", "user-agent": "drivetrain", **self._headers}
        sent: bytes | IO[bytes] | None = body
        if file is not None:
            headers["content-length"] = str(file.seek(0, os.SEEK_END))
            headers["content-type"] = "application/octet-stream"
            file.seek(0)
            sent = file
        elif body is not None:
            headers["content-type"] = "application/json"
        self._line.request(method, f"{self._prefix}{path}", sent, headers)
        answer = self._line.getresponse()
        if into is None or answer.status != http.client.OK:
            return answer.status, answer.read()
        into.seek(0)
        into.truncate()
        while piece := answer.read(_PIECE):
            into.write(piece)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return answer.status, b""

    def _opened(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)


def _vouched(environment: Mapping[str, str]) -> dict[str, str]:
    """The header that says who asks; none where the environment names nobody."""
    user, password, token = (environment.get(name, "") for name in (USER, PASSWORD, TOKEN))
    if user:
        return {"authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"authorization": f"Bearer {token}"} if token else {}


def _tls(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"the file that {AUTHORITY} names can't be used: {error}", found=authority) from None
