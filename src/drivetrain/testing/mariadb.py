"""A private MariaDB server for tests, started from whatever binaries the machine has."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pymysql
import pytest

_REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"
_BINARIES = ("mariadbd", "mariadb-install-db")
_START_SECONDS = 60


@dataclass(frozen=True)
class MariaDb:
    """A running server of one's own, whose own time zone is two hours ahead of UTC."""

    port: int
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str, user: str = "root") -> str:
        """The URL of one of its databases; the user has no password."""
        return f"mysql://{user}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The name of a new, empty database."""
        name = f"fresh{next(self._numbers)}"
        with self.connected() as connection:
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return name

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[pymysql.Connection]:
        """A connection that commits each statement."""
        connection = pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True, charset="utf8mb4"
        )
        try:
            yield connection
        finally:
            connection.close()

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """The server, once a session; skips, or fails where services are required, when there are no binaries."""
    lacking = [name for name in _BINARIES if _binary(name) is None]
    if lacking:
        reason = f"no {' and no '.join(lacking)} in PATH or /usr/sbin"
        if os.environ.get(_REQUIRE) == "1":
            pytest.fail(f"{reason}, and {_REQUIRE}=1")
        pytest.skip(reason)
    with running_mariadb() as server:
        yield server


@contextmanager
def running_mariadb() -> Iterator[MariaDb]:
    """Starts a server on a free port with a data folder of its own, and removes both at the end.

    Raises:
        RuntimeError: The server did not start; the message holds its log.
    """
    folder = Path(tempfile.mkdtemp(prefix="drivetrain-mariadb-"))
    data = f"--datadir={folder / 'data'}"
    user = f"--user={getpass.getuser()}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = folder / "log"
    options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}", "--skip-name-resolve"]
    options += ["--default-time-zone=+02:00", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
    try:
        done = subprocess.run(  # noqa: S603 - a binary of the machine's own
            [str(_binary(_BINARIES[1])), "--no-defaults", data, user, "--auth-root-authentication-method=normal"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{_BINARIES[1]} failed: {done.stderr.decode('utf-8', 'replace')}")
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603 - as above
                [str(_binary(_BINARIES[0])), "--no-defaults", data, user, *options], stdout=output, stderr=output
            ) as process,
        ):
            try:
                _wait(process, log)
                yield MariaDb(port, process)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while b"ready for connections" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"mariadbd did not start: {log.read_text('utf-8', 'replace')}")
        time.sleep(0.02)
