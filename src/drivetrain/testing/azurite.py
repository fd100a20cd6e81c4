"""A private Azure Blob Storage server for tests: Microsoft's Azurite, fetched by npm and run by Node.js."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import http.client
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from itertools import count
from pathlib import Path

import pytest

from drivetrain.testing.server import Server, do_without, folder_of, free_port, started

_PACKAGE = "azurite@3.37.0"
_ENTRY = "node_modules/azurite/dist/src/blob/main.js"
_PAGE = 100
"""Blobs that a page of a listing holds, where Azure's holds 5,000: few have to be there for several pages."""
_SMALL = f'require("{{}}/utils/constants.js").DEFAULT_LIST_BLOBS_MAX_RESULTS = {_PAGE}'
_ANSWER_SECONDS = 60
_ACCOUNT = "devstoreaccount1"
_KEY = base64.b64encode(b"a key of the tests, which is no secret").decode()


@dataclass(frozen=True)
class Azurite(Server):
    """A running server of one's own, that keeps everything in memory."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def environment(self) -> dict[str, str]:
        """What tells Azure's clients to use it."""
        return {
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{self.port}/{_ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
            "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
        }

    def bucket(self) -> str:
        """The name of a new, empty container."""
        name = f"fresh{next(self._numbers)}"
        self._put(name, b"", "restype:container", {})
        return name

    def put(self, path: str, data: bytes) -> None:
        """Keeps a blob: ``container/name``."""
        self._put(path, data, "", {"x-ms-blob-type": "BlockBlob"})

    def _put(self, path: str, data: bytes, query: str, headers: dict[str, str]) -> None:
        headers = {**headers, "x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
        named = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        # Shared Key: the verb, eleven standard headers of which only the length is used, then what is named above.
        signed = f"PUT\n\n\n{len(data) or ''}\n\n\n\n\n\n\n\n\n{named}/{_ACCOUNT}/{_ACCOUNT}/{path}"
        signed += f"\n{query}" if query else ""
        signature = hmac.new(base64.b64decode(_KEY), signed.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(signature).decode()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_SECONDS)
        url = f"/{_ACCOUNT}/{path}{'?' + query.replace(':', '=') if query else ''}"
        connection.request("PUT", url, data, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 201:
            raise RuntimeError(f"the server answered {answer.status}: {body.decode('utf-8', 'replace')}")


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """The server, once a session; skips, or fails where services are required, when it can't be had."""
    reason = why_not()
    if reason:
        do_without(reason)
    with running_azurite() as server:
        yield server


def why_not() -> str:
    """Why the server can't be started here; nothing where it can. Fetches it into the user's cache the first time."""
    lacking = [name for name in ("node", "npm") if shutil.which(name) is None]
    if lacking:
        return f"no {' and no '.join(lacking)} in PATH"
    place = _place()
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test process may be fetching it
        if (place / _ENTRY).is_file():
            return ""
        aside = Path(tempfile.mkdtemp(dir=place.parent))
        options = ["--prefix", str(aside), "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        done = subprocess.run(  # noqa: S603 - the machine's npm
            [str(shutil.which("npm")), "install", *options, _PACKAGE], capture_output=True, text=True, check=False
        )
        if done.returncode:
            shutil.rmtree(aside)
            return f"npm can't fetch {_PACKAGE}: {done.stderr.strip()[-200:]}"
        shutil.rmtree(place, ignore_errors=True)
        aside.rename(place)
    return ""


def _place() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "drivetrain" / _PACKAGE


@contextmanager
def running_azurite() -> Iterator[Azurite]:
    """Starts a server on a free port, and ends it with all it holds.

    Raises:
        RuntimeError: It did not start; the message holds its log.
    """
    port = free_port()
    entry = _place() / _ENTRY
    with folder_of("azurite") as folder:
        smaller = folder / "smaller.js"
        smaller.write_text(_SMALL.format(entry.parent), "utf-8")
        command = [str(shutil.which("node")), "--require", str(smaller), str(entry)]
        command += ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
        command += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        accounts = {"AZURITE_ACCOUNTS": f"{_ACCOUNT}:{_KEY}"}
        with started(command, folder, lambda said: b"successfully listens" in said, environment=accounts) as process:
            yield Azurite(port, process)
