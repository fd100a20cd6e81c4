"""A private MariaDB server for tests, started from whatever binaries the machine has."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import pymysql
import pytest

from drivetrain.testing.server import Server, do_without, folder_of, free_port, started

_BINARIES = ("mariadbd", "mariadb-install-db")


@dataclass(frozen=True)
class MariaDb(Server):
    """A running server of one's own, whose own time zone is two hours ahead of UTC."""

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


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    """The server, once a session; skips, or fails where services are required, when there are no binaries."""
    lacking = [name for name in _BINARIES if _binary(name) is None]
    if lacking:
        do_without(f"no {' and no '.join(lacking)} in PATH or /usr/sbin")
    with running_mariadb() as server:
        yield server


@contextmanager
def running_mariadb() -> Iterator[MariaDb]:
    """Starts a server on a free port with a data folder of its own, and removes both at the end.

    Raises:
        RuntimeError: The server did not start; the message holds its log.
    """
    port = free_port()
    with folder_of("mariadb") as folder:
        common = ["--no-defaults", f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"]
        done = subprocess.run(  # noqa: S603 - a binary of the machine's own
            [str(_binary(_BINARIES[1])), *common, "--auth-root-authentication-method=normal"],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{_BINARIES[1]} failed: {done.stderr.decode('utf-8', 'replace')}")
        command = [str(_binary(_BINARIES[0])), *common, "--bind-address=127.0.0.1", f"--port={port}"]
        command += [f"--socket={folder / 'socket'}", "--skip-name-resolve", "--default-time-zone=+02:00"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
        with started(command, folder, lambda said: b"ready for connections" in said) as process:
            yield MariaDb(port, process)


def _binary(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin")
