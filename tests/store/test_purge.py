"""What was deleted is on no file of a table, and what was not can be read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from drivetrain.core.clock import now
from drivetrain.core.errors import StoreError, UnknownName
from drivetrain.core.records import Alias
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.migrate import migrate
from drivetrain.store.tables import Tables

NAME = "subject-one"


def bytes_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holds(folder, text):
    """Files that hold a text: as they lie, and as Parquet gives it back."""
    found = {path for path, data in bytes_of(folder).items() if text.encode() in data}
    for path in folder.rglob("*.parquet"):
        if text in str(pl.read_parquet(path).to_dicts()):
            found.add(path)
    return found


@pytest.fixture
def tables(tmp_path):
    made = Tables(tmp_path / "tables")
    made.append("t", pl.DataFrame({"who": [NAME, "two"], "n": [1, 2]}), note={"at": "0"}, transaction=("app", 4))
    made.append("t", pl.DataFrame({"who": [NAME], "n": [3]}), note={"at": "1"}, transaction=("app", 5))
    made.merge("t", pl.DataFrame({"who": ["zoe"], "n": [2]}), ["n"], note={"at": "2"}, transaction=("app", 6))
    made.compact("t")
    return made


def test_no_file_holds_what_was_deleted(tables, tmp_path):
    assert holds(tmp_path, NAME)
    tables.delete("t", f"who = '{NAME}'")
    version = tables.purge("t")
    assert holds(tmp_path, NAME) == set()
    assert tables.read("t").rows() == [("zoe", 2)]
    assert tables.note("t") == {"at": "2"}
    assert tables.version("t") == version == 5
    assert tables.transaction("t", "app") == 6
    assert len(list((tmp_path / "tables").rglob("*.parquet"))) == 2  # the rows, and the checkpoint
    assert holds(tmp_path, "zoe")


def test_versions_go_on_and_those_before_are_named_as_erased(tables):
    other = Tables(tables._root)  # of another process, which has looked at an old version already
    assert other.read("t", 1).height == 3
    tables.delete("t", f"who = '{NAME}'")
    version = tables.purge("t", note={"at": "3"})
    with pytest.raises(StoreError, match="version 1 of table t was erased"):
        other.read("t", 1)
    assert other.read("t").rows() == [("zoe", 2)]
    assert [tables.has("t", at) for at in range(version + 2)] == [False] * version + [True, False]
    for ask in (tables.read, tables.scan, tables.note, tables.schema):
        with pytest.raises(StoreError, match="version 1 of table t was erased, and can't be read again"):
            ask("t", 1)
    with pytest.raises(UnknownName, match="no version 9"):
        tables.read("t", 9)
    assert tables.append("t", pl.DataFrame({"who": ["ada"], "n": [7]}), transaction=("app", 6)) == version
    assert tables.append("t", pl.DataFrame({"who": ["ada"], "n": [7]}), transaction=("app", 7)) == version + 1
    assert sorted(tables.read("t")["who"]) == ["ada", "zoe"]
    assert tables.note("t", version) == {"at": "3"}
    again = Tables(tables._root)
    assert again.purge("t") == version + 2
    assert sorted(again.read("t")["who"]) == ["ada", "zoe"]


def test_parts_named_after_values_go_too(tmp_path):
    tables = Tables(tmp_path / "tables")
    tables.append("t", pl.DataFrame({"who": [NAME, "two"], "n": [1, 2]}), partition_by=["who"])
    tables.delete("t", f"who = '{NAME}'")
    tables.purge("t")
    assert not [path for path in tmp_path.rglob("*") if NAME in path.name]
    assert holds(tmp_path, NAME) == set()
    assert tables.read("t")["n"].to_list() == [2]


def test_a_table_that_was_emptied_can_be_read(tables):
    tables.delete("t", "n > 0")
    tables.purge("t")
    assert tables.read("t").schema == {"who": pl.String, "n": pl.Int64}
    assert tables.read("t").height == 0


def test_killed_between_any_two_removals_it_can_be_done_again(tables, tmp_path):
    """Every state that a kill could leave: so many removals were done, in the order they are done in."""
    tables.delete("t", f"who = '{NAME}'")
    count = 0
    while True:
        copy = tmp_path / f"copy{count}"
        shutil.copytree(tmp_path / "tables", copy)
        code = f"""
import os, pathlib
from drivetrain.store.tables import Tables
left = [{count}]
plain = pathlib.Path.unlink
def unlink(path, missing_ok=False):
    if not left[0]:
        os.kill(os.getpid(), 9)
    left[0] -= 1
    plain(path, missing_ok=missing_ok)
pathlib.Path.unlink = unlink
Tables(pathlib.Path({str(copy)!r})).purge("t")
"""
        done = subprocess.run([sys.executable, "-c", code], check=False)
        again = Tables(copy)
        assert again.read("t").rows() == [("zoe", 2)]
        again.purge("t")
        assert again.read("t").rows() == [("zoe", 2)]
        assert again.note("t") == {"at": "2"}
        assert holds(copy, NAME) == set()
        if done.returncode == 0:
            break
        assert done.returncode == -9
        count += 3
    assert count > 6


def test_an_erased_record_is_in_no_file_of_the_catalog(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/catalog.db", tmp_path)
    migrate(database)
    catalog = SqlCatalog(database)
    many = [Alias(at=now(), model=f"m{n}", alias="champion", version=n, because="x" * 500) for n in range(200)]
    catalog.commit(Alias(at=1, model=NAME, alias="champion", version=1, because=f"as {NAME} said"), *many)
    catalog.commit(Alias(at=2, model=NAME, alias="champion", version=2, because=f"as {NAME} said again"))
    assert holds(tmp_path, NAME)
    with database.reading() as connection:  # somebody looks at the same time
        connection.exec_driver_sql("select count(*) from records").scalar()
        assert catalog.erase(f"alias:{NAME}:champion") == 1
    assert holds(tmp_path, NAME) == set()
    assert len(catalog.find(Alias)) == 200
    catalog.close()
    assert Path(tmp_path / "catalog.db").exists()
