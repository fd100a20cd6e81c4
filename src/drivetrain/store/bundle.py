"""A project's state, opened in one call."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from drivetrain.core import plugins
from drivetrain.core.errors import SettingsError
from drivetrain.core.protocols import Blobs, Catalog, Leases, OnlineStore, RunLog
from drivetrain.core.settings import StoreSettings
from drivetrain.store.blobs import FileBlobs
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.leases import SqlLeases
from drivetrain.store.migrate import migrate
from drivetrain.store.online import LmdbOnline
from drivetrain.store.run_log import SqlRunLog
from drivetrain.store.tables import Tables

_ADAPTERS = {"rediss": "redis", "unix": "redis", "valkey": "redis", "valkeys": "redis"}
"""Schemes of online stores that are not their adapter's name."""


@dataclass(frozen=True, slots=True)
class Store:
    """Everything a project keeps; close it when done."""

    catalog: Catalog
    tables: Tables
    blobs: Blobs
    online: OnlineStore
    leases: Leases
    run_log: RunLog
    settings: StoreSettings
    folder: Path
    """The project folder."""
    pickles: frozenset[str] = frozenset()
    """Models whose pickles the project trusts; those of no other are opened."""

    def close(self) -> None:
        """Lets go of files and connections."""
        self.online.close()
        self.catalog.close()


def open_store(settings: StoreSettings, folder: Path, *, pickles: Collection[str] = ()) -> Store:
    """Opens a project's state; makes what is not there yet and migrates what is older.

    Args:
        settings: Where each part lives; relative paths are relative to ``folder``.
        folder: The project folder.
        pickles: Models whose pickles the project trusts.

    Raises:
        SettingsError: A place that is no such thing.
        StoreError: A place that can't be opened.
    """
    folder = folder.absolute()
    with ExitStack() as undo:
        database = Database(settings.catalog, folder)
        undo.callback(database.close)
        migrate(database)
        store = Store(
            catalog=SqlCatalog(database),
            tables=Tables(_local(settings.tables, folder, "tables")),
            blobs=FileBlobs(_local(settings.blobs, folder, "blobs")),
            online=_open_online(settings, folder),
            leases=SqlLeases(database),
            run_log=SqlRunLog(database),
            settings=settings,
            folder=folder,
            pickles=frozenset(pickles),
        )
        undo.pop_all()
    return store


def _local(place: str, folder: Path, setting: str) -> Path:
    if "://" in place:
        raise SettingsError(f"[store] {setting} can't be there", found=repr(place), expected="a local path")
    return folder / place


def _open_online(settings: StoreSettings, folder: Path) -> OnlineStore:
    scheme, colon, rest = settings.online.partition(":")
    if not colon or not rest:
        raise SettingsError(
            "[store] online can't be read", found=repr(settings.online), expected="lmdb:PATH or redis://HOST"
        )
    if scheme == "lmdb":
        return LmdbOnline(folder / rest, settings.online_gib, settings.online_durability)
    online: OnlineStore = plugins.load("online", _ADAPTERS.get(scheme, scheme))(settings.online)
    return online
