"""A private PostgreSQL server for tests, started from whatever binaries the machine has."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from drivetrain.testing.server import do_without, folder_of, free_port, started

_USER = "drivetrain"


@dataclass(frozen=True)
class Postgres:
    """A running server of one's own."""

    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"fresh{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, once a session; skips, or fails where services are required, when there are no binaries."""
    if find_binaries() is None:
        do_without("no postgres binary in PATH or /usr/lib/postgresql/*/bin")
    with running_postgres() as server:
        yield server


def find_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, the newest release first, or ``None``."""
    on_path = shutil.which("initdb")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    folders = ([Path(on_path).resolve().parent] if on_path else []) + packaged[::-1]
    return next(
        (folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()), None
    )


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Starts a server on a free port with a data folder of its own, and removes both at the end.

    Raises:
        RuntimeError: There are no binaries, or the server did not start; the message holds its log.
    """
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("no postgres binaries")
    owner = _owner()
    with folder_of("postgres") as folder:
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _run(
            [binaries / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            folder,
            owner,
        )
        port = free_port()
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        command: list[str | Path] = [binaries / "postgres", "-D", folder / "data"]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGQUIT ends it at once, with the processes that it has started.
        with started(command, folder, _ready, end=signal.SIGQUIT, user=_uid(owner), group=_gid(owner)):
            yield Postgres(port)


def _ready(said: bytes) -> bool:
    return b"ready to accept connections" in said


def _run(command: list[str | Path], folder: Path, owner: pwd.struct_passwd | None) -> None:
    done = subprocess.run(  # noqa: S603 - a binary of the machine's own
        command, cwd=folder, capture_output=True, check=False, user=_uid(owner), group=_gid(owner)
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.decode('utf-8', 'replace')}")


def _owner() -> pwd.struct_passwd | None:
    """Who runs the server: the present user, or somebody harmless where that is root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _uid(owner: pwd.struct_passwd | None) -> int | None:
    return None if owner is None else owner.pw_uid


def _gid(owner: pwd.struct_passwd | None) -> int | None:
    return None if owner is None else owner.pw_gid
