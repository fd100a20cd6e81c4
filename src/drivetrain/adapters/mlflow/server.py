"""What an MLflow server is asked: calls of its REST API, and files through its artifact proxy."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import msgspec

from drivetrain.adapters.mlflow.connection import PASSWORD, TOKEN, USER, Connection
from drivetrain.core.errors import RefusedError, StoreError, UnknownName

Said = dict[str, Any]

_API, _FILES = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts"
_PROXIED = "mlflow-artifacts:"
_MOST_FILES, _DEEPEST = 100_000, 32
_said = msgspec.json.Decoder(Said).decode


class MlflowServer:
    """One server.

    Who asks is told by ``MLFLOW_TRACKING_USERNAME`` and ``MLFLOW_TRACKING_PASSWORD``, or ``MLFLOW_TRACKING_TOKEN``; the
    authority that is trusted beside the system's by ``MLFLOW_TRACKING_SERVER_CERT_PATH``: as for MLflow's own client.

    Args:
        address: Such as ``http://127.0.0.1:5000``.

    Raises:
        UsageError: It is no address, or a password is in it.
        SettingsError: A password would go over an open line, or the authority's file can't be used.
    """

    def __init__(self, address: str) -> None:
        self._line = Connection(address)

    @property
    def address(self) -> str:
        """As it was given, without a slash at its end."""
        return self._line.address

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Said:
        """What a GET answers; raises as :meth:`call`."""
        return self._call("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path, None)

    def call(self, method: str, path: str, said: Mapping[str, object]) -> Said:
        """What another call answers.

        Raises:
            UnknownName: The server knows nothing of that name.
            RefusedError: The server refuses what is asked, or who asks.
            StoreError: It is away, or what answers is no MLflow server.
        """
        return self._call(method, path, msgspec.json.encode(said))

    def find(self, path: str, query: Mapping[str, object] | None = None) -> Said | None:
        """As :meth:`get`; none of what is not there."""
        try:
            return self.get(path, query)
        except UnknownName:
            return None

    def send(self, root: str, path: str, file: IO[bytes]) -> None:
        """Puts a file beneath a root, such as a run's ``artifact_uri``; one of that path is replaced."""
        status, said = self._line.ask("PUT", self._address(root, path), file=file)
        self._check(status, said, f"{root}/{path}")

    def fetch(self, root: str, path: str, into: IO[bytes]) -> None:
        """Gets a file from beneath a root."""
        status, said = self._line.ask("GET", self._address(root, path), into=into)
        self._check(status, said, f"{root}/{path}")

    def files(self, root: str) -> Iterator[tuple[str, int]]:
        """Every file beneath a root: path and bytes.

        Raises:
            StoreError: There are more, or deeper ones, than any run has.
        """
        waiting: list[Sequence[str]] = [()]
        count = 0
        while waiting:
            folder = waiting.pop()
            query = urllib.parse.urlencode({"path": "/".join([self._rooted(root), *folder])})
            status, said = self._line.ask("GET", f"{_FILES}?{query}")
            self._check(status, said, root)
            for one in self._decoded(said).get("files", []):
                name = str(one.get("path", "")).rpartition("/")[2]
                count += 1
                if count > _MOST_FILES or len(folder) > _DEEPEST:
                    raise StoreError(f"{root} holds more files than are taken in", expected=f"at most {_MOST_FILES:,}")
                if one.get("is_dir"):
                    waiting.append((*folder, name))
                else:
                    yield "/".join((*folder, name)), int(one.get("file_size") or 0)

    def close(self) -> None:
        """Lets go."""
        self._line.close()

    def _address(self, root: str, path: str) -> str:
        return f"{_FILES}/{urllib.parse.quote(f'{self._rooted(root)}/{path}')}"

    def _rooted(self, root: str) -> str:
        """A root's path in the proxy."""
        if not root.startswith(_PROXIED):
            raise RefusedError(
                f"the server at {self.address} does not keep these files itself",
                found=root,
                expected=f"an address that begins with {_PROXIED}/, as mlflow server has by default",
                do="Start it with --serve-artifacts, and use an experiment that was made then",
            )
        return urllib.parse.urlsplit(root).path.strip("/")

    def _call(self, method: str, path: str, body: bytes | None) -> Said:
        status, said = self._line.ask(method, f"{_API}{path}", body)
        self._check(status, said, path.partition("?")[0])
        return self._decoded(said)

    def _decoded(self, said: bytes) -> Said:
        try:
            return _said(said)
        except msgspec.DecodeError:
            raise StoreError(
                f"what answers at {self.address} is no MLflow server", found=repr(said[:60].decode("utf-8", "replace"))
            ) from None

    def _check(self, status: int, said: bytes, about: str) -> None:
        if status < 400:
            return
        if status in {401, 403}:
            raise RefusedError(
                f"the MLflow server at {self.address} does not let us in ({status})",
                do=f"Set {USER} and {PASSWORD}, or {TOKEN}",
            )
        try:
            told = _said(said)
        except msgspec.DecodeError:
            told = {}
        words = str(told.get("message") or f"it answers {status} to {about}").partition("\n")[0]
        if status == 404:
            raise UnknownName(f"the MLflow server at {self.address} has no such thing: {words[:300].rstrip('.')}")
        kind = StoreError if status >= 500 else RefusedError
        raise kind(f"the MLflow server at {self.address} refuses: {words[:300].rstrip('.')}")
