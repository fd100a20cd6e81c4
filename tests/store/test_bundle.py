from __future__ import annotations

import os
import subprocess
import sys

import pytest

from drivetrain.core.errors import SettingsError, UnknownName
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.testing.catalog import Note


def test_opens_everything_under_the_project_folder(tmp_path):
    store = open_store(StoreSettings(online_gib=0.1), tmp_path)
    store.catalog.commit(Note(name="a"))
    store.blobs.put(b"model")
    store.online.write("plane@1", [(b"N1", b"one")])
    assert store.leases.acquire("watch", "a", 1) is not None
    assert store.tables.names() == []
    assert store.folder == tmp_path
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".drivetrain"]
    again = open_store(StoreSettings(online_gib=0.1), tmp_path)
    assert again.catalog.get(Note, "a") == Note(name="a")
    assert again.online.spaces() == {"plane@1": 1}
    again.close()


def test_a_project_may_be_opened_twice(tmp_path):
    one = open_store(StoreSettings(online_gib=0.1), tmp_path)
    two = open_store(StoreSettings(online_gib=0.1), tmp_path)
    one.catalog.commit(Note(name="a"))
    assert two.catalog.revision() == 1
    one.close()
    one.close()  # by hand, and once more when it goes away: the other's files stay open
    two.online.write("plane@1", [(b"N1", b"one")])
    two.close()


def test_a_current_project_opens_without_alembic(tmp_path):
    open_store(StoreSettings(online_gib=0.1), tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from drivetrain.core.settings import StoreSettings\n"
        "from drivetrain.store.bundle import open_store\n"
        "open_store(StoreSettings(online_gib=0.1), Path(sys.argv[1])).close()\n"
        "heavy = {'alembic', 'pandas', 'pyarrow', 'psycopg', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=environment)


@pytest.mark.parametrize("setting", ["tables", "blobs"])
def test_places_that_are_not_local_are_refused(tmp_path, setting):
    with pytest.raises(SettingsError, match=rf"\[store\] {setting}.*s3://bucket"):
        open_store(StoreSettings(**{setting: "s3://bucket"}), tmp_path)


@pytest.mark.parametrize("online", ["", "lmdb", "lmdb:", "folder"])
def test_an_online_store_without_a_scheme_is_refused(tmp_path, online):
    with pytest.raises(SettingsError, match="lmdb:PATH"):
        open_store(StoreSettings(online=online), tmp_path)


def test_another_online_store_is_an_adapters_business(tmp_path, monkeypatch):
    with pytest.raises(UnknownName, match="no adapter is called 'punchcards'"):
        open_store(StoreSettings(online="punchcards://host"), tmp_path)
    monkeypatch.setattr("drivetrain.core.plugins.load", lambda kind, name: lambda url: (kind, name, url))
    store = open_store(StoreSettings(online="redis://host"), tmp_path)
    assert store.online == ("online", "redis", "redis://host")
    store.catalog.close()
