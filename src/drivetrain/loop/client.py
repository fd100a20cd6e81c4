"""Calls an endpoint over HTTP: one connection, kept open, made anew when the server closed it."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from drivetrain.core.errors import DrivetrainError, NotReady, RequestError, SettingsError
from drivetrain.core.settings import ServeSettings

TOKEN_VARIABLE = "DRIVETRAIN_TOKEN"  # noqa: S105 - where one is, not one

_AGAIN = 0.1
"""Seconds between two tries, where the server does not say."""
_DO = "Start it with: drivetrain serve (or drivetrain up)"


class Client:
    """A caller of one inference server.

    The token it comes with is that of the environment variable ``DRIVETRAIN_TOKEN``, where there is one.

    Args:
        settings: Where it listens, whether over TLS, and which authority is trusted then.
        timeout: Seconds to wait for an answer.
        patience: Seconds to go on trying while the server is away or busy; zero to give up at once.
    """

    def __init__(self, settings: ServeSettings, *, timeout: float = 30.0, patience: float = 0.0) -> None:
        self._settings = settings
        self._timeout = timeout
        self._patience = patience
        self._connection: http.client.HTTPConnection | None = None
        self._encoder = msgspec.json.Encoder()
        self._tls = _tls(settings)
        self._headers = {"content-type": "application/json"}
        if token := os.environ.get(TOKEN_VARIABLE):
            self._headers["authorization"] = f"Bearer {token}"

    def predict(self, endpoint: str, instances: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer to one request; ``more`` may name ``request_id`` and ``at``."""
        return self.call("POST", f"/v1/endpoints/{endpoint}/predict", {"instances": instances, **more})

    def feedback(self, endpoint: str, labels: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Tells the endpoint what came true."""
        return self.call("POST", f"/v1/endpoints/{endpoint}/feedback", {"feedback": labels})

    def describe(self, endpoint: str) -> dict[str, Any]:
        """Which versions answer, and what a request must hold."""
        return self.call("GET", f"/v1/endpoints/{endpoint}")

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call, tried again while the server is away or busy and patience lasts.

        Raises:
            RequestError: The server refused what was asked.
            NotReady: It was away, or not ready, for longer than patience lasts.
        """
        data = None if body is None else self._encoder.encode(body)
        deadline = time.monotonic() + self._patience
        while True:
            later = _AGAIN
            try:
                status, answer, later = self._once(method, path, data)
            except ssl.SSLCertVerificationError as error:
                self.close()
                raise RequestError(
                    f"the server at {self._settings.host}:{self._settings.port} is not trusted",
                    found=error.verify_message,
                    do="Name the authority of its certificate: [serve] tls_ca in drivetrain.toml",
                ) from None
            except (OSError, http.client.HTTPException) as error:
                self.close()
                problem: DrivetrainError = NotReady(
                    f"nothing answers at {self._settings.host}:{self._settings.port} ({error})", do=_DO
                )
            else:
                if status < 400:
                    return answer
                problem = _problem(status, answer)
                if not isinstance(problem, NotReady):
                    raise problem
            if time.monotonic() + (later if later > _AGAIN else 0.0) > deadline:
                raise problem
            time.sleep(later)

    def _once(self, method: str, path: str, data: bytes | None) -> tuple[int, dict[str, Any], float]:
        """Status, answer, and how many seconds to wait before asking again."""
        if self._connection is None:
            self._connection = self._connected()
            self._connection.connect()
        self._connection.request(method, path, data, self._headers)
        response = self._connection.getresponse()
        body = response.read()
        asked = response.headers.get("retry-after", "")
        later = float(asked) if asked.isdecimal() else _AGAIN
        try:
            return response.status, msgspec.json.decode(body, type=dict[str, Any]), later
        except msgspec.DecodeError:
            return response.status, {"error": f"an answer that is no JSON ({response.status})"}, later

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._settings.host, self._settings.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _problem(status: int, answer: Mapping[str, Any]) -> DrivetrainError:
    """What a refusal says, in the shape of whichever protocol was spoken; a busy server is not ready, no more."""
    told = answer.get("error")
    words, field = (told.get("message"), told.get("field")) if isinstance(told, dict) else (told, None)
    refusal = NotReady if status in {429, 503} else RequestError
    return refusal(str(words or f"the endpoint answered {status}"), field=field)


def _tls(settings: ServeSettings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    try:
        return ssl.create_default_context(cafile=settings.tls_ca or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the file that serve.tls_ca names can't be used: {error}", found=settings.tls_ca, expected="PEM"
        ) from None
