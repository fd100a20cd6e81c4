"""A project played in a folder of its own: another store, other ports, nobody told."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from drivetrain.core.errors import DrivetrainError, NotReady, StoreError
from drivetrain.core.settings import ServeSettings, Settings, StoreSettings
from drivetrain.loop.client import Client
from drivetrain.loop.definitions import Definitions
from drivetrain.registry.aliases import champion

P = TypeVar("P", bound=Definitions)

READY_SECONDS = 60.0
_LEFT_BEHIND = ("__pycache__", ".git", ".venv", ".ipynb_checkpoints")
_LOG = "server.log"


@dataclass(frozen=True)
class Rehearsal:
    """Where a project is played again.

    Attributes:
        origin: The project's own folder.
        place: Folder that holds the copies; what is there from before is gone on with.
        settings: The project's own; the copies keep state in folders of their own and listen elsewhere.
    """

    origin: Path
    place: Path
    settings: Settings

    def base(self, load: Callable[[Path, Settings], P], begin: Callable[[P], object]) -> Path:
        """The folder as it stood when the first request came; made once.

        Args:
            load: Opens the project of a folder.
            begin: Brings it up to that moment.

        Raises:
            StoreError: The folder can't be written.
            NotReady: No version came to serve.
        """
        made = self.place / "base"
        if made.is_dir():
            return made
        fresh = self.place / f"base.{os.getpid()}"
        root = Path(self.settings.store.root).name
        try:
            shutil.copytree(self.origin, fresh, ignore=shutil.ignore_patterns(root, *_LEFT_BEHIND))
        except (OSError, shutil.Error) as error:
            raise StoreError(f"there is no room for a rehearsal in {self.place}: {error}") from error
        project = load(fresh, self.within())
        try:
            begin(project)
            for name in {endpoint.model.name for endpoint in project.endpoints.values()}:
                if champion(project.store, name) is None:
                    raise NotReady(
                        f"no version of {name!r} passed its gates by then, so that nobody could answer",
                        do="Begin later, or see what the gates said with: drivetrain run",
                    )
        finally:
            project.store.close()
        fresh.rename(made)
        return made

    def copy(self, base: Path, name: str) -> Path:
        """The folder of one set of rules, as the base was; where it was begun, as it was left."""
        made = self.place / name
        if not made.is_dir():
            half = self.place / f"{name}.{os.getpid()}"
            shutil.copytree(base, half)
            half.rename(made)
        return made

    @contextmanager
    def playing(self, folder: Path, load: Callable[[Path, Settings], P]) -> Iterator[P]:
        """The project of a folder with its server up.

        Raises:
            NotReady: The server did not come up; the last line that it said is told.
        """
        settings = self.within(port=_free_port())
        project = load(folder, settings)
        with (folder / _LOG).open("ab") as log:
            server = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "drivetrain", "serve", "--project", str(folder)],
                env=os.environ | _environment(settings),
                stdout=log,
                stderr=log,
            )
        try:
            _await(settings.serve, next(iter(project.endpoints)), server, folder / _LOG)
            yield project
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
            project.store.close()

    def within(self, port: int = 0) -> Settings:
        """The settings of a copy."""
        plain = ServeSettings()
        serve = replace(
            self.settings.serve,
            **{name: getattr(plain, name) for name in _OWN},
            host="127.0.0.1",
            port=port,
            allow_at=True,
        )
        named = {name: path for name in _KEYS if (path := getattr(self.settings.registry, name))}
        registry = replace(self.settings.registry, **{name: str(self.origin / path) for name, path in named.items()})
        return replace(self.settings, store=StoreSettings(), serve=serve, registry=registry)


_OWN = (
    "grpc_port",
    "workers",
    "log",
    "durability",
    "log_share",
    "log_days",
    "tokens",
    "rate",
    "tls_certificate",
    "tls_key",
    "tls_ca",
    "explain_share",
    "access_log",
    "traces",
)
"""What a server that only a rehearsal asks has by default, whatever the project's own has."""
_KEYS = ("signing_key", "verify_key")
"""Files that are named from the project's own folder."""


def _environment(settings: Settings) -> dict[str, str]:
    """The settings of a rehearsal, as the server that it starts reads them."""
    said = {f"DRIVETRAIN_STORE__{name.upper()}": value for name, value in msgspec.to_builtins(settings.store).items()}
    serve = msgspec.to_builtins(settings.serve)
    said |= {f"DRIVETRAIN_SERVE__{name.upper()}": serve[name] for name in (*_OWN, "host", "port", "allow_at")}
    said |= {f"DRIVETRAIN_REGISTRY__{name.upper()}": getattr(settings.registry, name) for name in _KEYS}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}


def _await(settings: ServeSettings, endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    client = Client(settings)
    deadline = time.monotonic() + READY_SECONDS
    try:
        while True:
            try:
                client.describe(endpoint)
            except DrivetrainError:
                if server.poll() is not None or time.monotonic() > deadline:
                    lines = log.read_text("utf-8", "replace").strip().splitlines()
                    raise NotReady(
                        "the server of a rehearsal did not come up", found=lines[-1] if lines else "not a word"
                    ) from None
                time.sleep(0.1)
            else:
                return
    finally:
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
