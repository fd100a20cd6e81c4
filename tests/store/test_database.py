from __future__ import annotations

import multiprocessing
import os
import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from drivetrain.core.errors import MissingExtra, SettingsError, StoreError
from drivetrain.store import database as module
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.migrate import migrate
from drivetrain.store.schema import HEAD, metadata
from drivetrain.testing.catalog import Note


@pytest.fixture
def database(tmp_path):
    database = Database("sqlite:///catalog.db", tmp_path)
    yield database
    database.close()


def test_a_relative_path_is_relative_to_the_folder(tmp_path):
    assert Database("sqlite:///a/b.db", tmp_path).name == str(tmp_path / "a" / "b.db")
    assert Database(f"sqlite:///{tmp_path}/abs.db", tmp_path / "x").name == str(tmp_path / "abs.db")


def test_erased_records_leave_no_bytes_in_the_files_of_postgres(postgres, tmp_path):
    url = postgres.fresh()
    database = Database(url, tmp_path)
    migrate(database)
    catalog = SqlCatalog(database)
    texts = [f"marker-{at:03d}-of-ada" for at in range(200)]
    catalog.commit(*(Note(name=text, text=text) for text in texts))
    with psycopg.connect(url, autocommit=True) as connection:
        [place] = connection.execute("SHOW data_directory").fetchone()
    gone = texts[::9]

    def left(names):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        files = [path.read_bytes() for path in Path(place).glob("base/*/*") if path.is_file()]
        return [name for name in names if any(name.encode() in data for data in files)]

    assert left(gone) == gone
    assert catalog.erase(*(Note(name=name, text="").ref for name in gone)) == len(gone)
    assert left(gone) == []
    assert left(texts[1:9]) == texts[1:9]
    database.close()


@pytest.mark.parametrize("url", ["", "catalog.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///"])
def test_other_urls_are_refused(tmp_path, url):
    with pytest.raises(SettingsError, match=r"expected sqlite:///PATH or postgresql://"):
        Database(url, tmp_path)


@pytest.mark.parametrize("url", ["postgresql://u:secret@127.0.0.1:1/x", "postgres://u:secret@127.0.0.1:1/x"])
def test_a_server_that_is_away_is_named_without_its_password(tmp_path, url):
    database = Database(url, tmp_path)
    with pytest.raises(StoreError, match=r"postgresql.*127\.0\.0\.1:1") as caught:
        migrate(database)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_says_what_to_install(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr(module, "create_engine", fail)
    with pytest.raises(MissingExtra, match=re.escape('pip install "drivetrain[postgres]"')):
        Database("postgresql://host/db", tmp_path)


def test_migrations_make_what_the_schema_says(database):
    migrate(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.services
def test_migrations_make_what_the_schema_says_on_postgres(postgres, tmp_path):
    database = Database(postgres.fresh(), tmp_path)
    migrate(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_sqlite_is_durable_and_lets_readers_through(database):
    migrate(database)
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    catalog = SqlCatalog(database)
    with database.writing():
        assert catalog.find(Note) == [], "a reader does not wait for a writer"


@pytest.mark.services
def test_many_may_migrate_a_new_postgres_at_once(postgres, tmp_path):
    one, other = Database(postgres.fresh(), tmp_path), Database(postgres.fresh(), tmp_path)
    databases = [one, one, other, other]
    start = threading.Barrier(len(databases))
    errors = []

    def work(database):
        start.wait()
        try:
            migrate(database)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for database in (one, other):
        assert SqlCatalog(database).revision() == 0
        database.close()


def test_a_writer_takes_its_turn_before_it_looks(database, tmp_path):
    migrate(database)
    other = sqlite3.connect(tmp_path / "catalog.db", timeout=0)
    with database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_newer_schema_is_refused(database):
    migrate(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=rf"9999.*expected schema {HEAD}.*newer"):
        migrate(database)


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "catalog.db").write_bytes(b"junk" * 1000)
    database = Database("sqlite:///catalog.db", tmp_path)
    with pytest.raises(StoreError, match=re.escape(str(tmp_path / "catalog.db"))):
        migrate(database)
    database.close()


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(StoreError, match=r"folder .*state can't be made"):
        Database("sqlite:///state/catalog.db", tmp_path)


def test_a_record_that_does_not_decode_is_named(database):
    migrate(database)
    catalog = SqlCatalog(database)
    catalog.commit(Note(name="a"))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE records SET body = x'00'")
    with pytest.raises(StoreError, match="a note record in the catalog"):
        catalog.get(Note, "a")


def test_a_block_that_raises_leaves_nothing(database):
    migrate(database)
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.exec_driver_sql("UPDATE revision SET value = 7") and 1 / 0
    assert SqlCatalog(database).revision() == 0


def test_many_processes_may_open_a_new_project_at_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from drivetrain.core.settings import StoreSettings\n"
        "from drivetrain.store.bundle import open_store\n"
        "store = open_store(StoreSettings(), Path(sys.argv[1])); store.close()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    starts = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) for _ in range(4)]
    assert [start.wait() for start in starts] == [0] * 4
    with sqlite3.connect(tmp_path / ".drivetrain" / "catalog.db") as connection:
        assert connection.execute("SELECT value FROM revision").fetchall() == [(0,)]
    connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(database):
    migrate(database)
    catalog = SqlCatalog(database)
    catalog.commit(Note(name="parent"))

    def work():
        assert database.engine.pool.checkedin() == 0, "the parent's connections are not the child's"
        catalog.commit(Note(name="child"))
        assert len(catalog.find(Note)) == 2

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    assert child.exitcode == 0
    assert {note.name for note in catalog.find(Note)} == {"parent", "child"}
