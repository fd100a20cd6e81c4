"""Brings a catalog database to the schema of this release; nothing is done, or imported, where it is there already."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from drivetrain.core.errors import StoreError
from drivetrain.store.database import Database
from drivetrain.store.schema import HEAD

_VERSION = text("SELECT version_num FROM alembic_version")
_LOCK = text("SELECT pg_advisory_xact_lock(7310001)")
_one_at_a_time = threading.Lock()
"""Alembic keeps the migration it is at in globals, so threads take turns, whatever databases they migrate."""


def migrate(database: Database) -> None:
    """Migrates in one transaction, so that a killed migration never happened; several callers at once take turns.

    Raises:
        StoreError: The database is away, or a newer release has migrated it.
    """
    if _version(database) == HEAD:
        return
    with _one_at_a_time, database.writing() as connection:
        if database.dialect == "postgresql":
            connection.execute(_LOCK)
        _upgrade(connection, database.name)


def _version(database: Database) -> str | None:
    try:
        with database.engine.connect() as connection:
            return connection.execute(_VERSION).scalar()
    except DBAPIError:  # no such table yet; a database that is really away says so when the migration opens it
        return None


def _upgrade(connection: Connection, name: str) -> None:
    # Alembic takes 0.1 s to import, and the schema is current in all but a project's first moment.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            f"the catalog {name} can't be migrated: {error}",
            expected=f"schema {HEAD} or older",
            do="Use the drivetrain release that wrote it, or a newer one",
        ) from error
