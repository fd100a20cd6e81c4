"""How little of a table's log and files is looked at, and that what is kept at hand is never older than the table."""

from __future__ import annotations

import os
import shutil

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from drivetrain.store.tables import Tables
from store.test_tables import keys_of, rows


def test_the_present_version_is_found_without_a_look_at_all_of_the_log(tmp_path, monkeypatch):
    tables, other = Tables(tmp_path), Tables(tmp_path)
    for at in range(12):
        tables.append("t", pl.DataFrame({"a": [at]}), note={"at": str(at)})
    assert other.version("t") == 11
    looks: list[str] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: looks.append(str(path)) or listdir(path))
    assert [other.version("t") for _ in range(5)] == [11] * 5
    assert other.has("t", 3)
    assert not other.has("t", 12)
    tables.append("t", pl.DataFrame({"a": [99]}))
    assert other.version("t") == 12
    assert not looks
    assert [other.note("t", 7) for _ in range(2)] == [{"at": "7"}] * 2
    with monkeypatch.context() as patch:
        patch.setattr(other, "_read_commit", lambda *_: pytest.fail("a note that was read is read again"))
        assert other.note("t", 7) == {"at": "7"}
    shutil.rmtree(tmp_path / "t")
    assert other.version("t") is None
    tables.append("t", pl.DataFrame({"a": [1]}))
    assert (other.version("t"), tables.version("t")) == (0, 0)
    assert tables.note("t") == {}


def test_a_table_put_back_from_a_backup_and_written_anew_is_read_as_it_is_now(tmp_path, monkeypatch):
    running, other = Tables(tmp_path / "tables"), Tables(tmp_path / "tables")
    folder = tmp_path / "tables" / "t"
    running.append("t", rows(1))
    running.append("t", rows(2))
    shutil.copytree(folder, tmp_path / "backup")
    running.append("t", rows(3), transaction=("app", 7))
    assert keys_of(running) == [1, 2, 3]
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    assert other.append("t", rows(9)) == 2
    assert keys_of(running) == keys_of(running, version=2) == [1, 2, 9]
    assert (running.rows("t"), running.transaction("t", "app")) == (3, None)
    assert running.append("t", rows(4)) == 3
    monkeypatch.setattr(os, "listdir", lambda path: pytest.fail(f"{path} was listed"))
    monkeypatch.setattr(running, "_open", lambda *_: pytest.fail("what was opened is opened again"))
    assert [keys_of(running) for _ in range(2)] == [[1, 2, 4, 9]] * 2
    assert keys_of(running, version=2) == [1, 2, 9]


def test_gathering_files_leaves_the_great_ones_alone(tmp_path):
    tables = Tables(tmp_path)
    dice = np.random.default_rng(1)
    tables.append("t", pl.DataFrame({"a": dice.normal(size=400_000)}))
    [great] = (tmp_path / "t").glob("*.parquet")
    wanted = tables.read("t")
    for round_ in range(3):
        for _ in range(16):
            more = pl.DataFrame({"a": dice.normal(size=200)})
            wanted = pl.concat([wanted, more])
            tables.append("t", more)
        assert tables.files("t") > 16
        version = tables.compact("t")
        assert tables.files("t") <= 9
        assert any(uri.endswith(great.name) for uri in tables._reading("t").file_uris()), round_
        assert_frame_equal(tables.read("t").sort("a"), wanted.sort("a"))
        assert tables.version("t") == version


def test_what_was_just_written_is_not_opened_again_to_be_read(tmp_path, monkeypatch):
    tables = Tables(tmp_path)
    tables.append("t", pl.DataFrame({"a": [1]}))
    before = tables.scan("t")
    version = tables.append("t", pl.DataFrame({"a": [2]}))
    monkeypatch.setattr(tables, "_open", lambda *_: pytest.fail("it was opened again"))
    assert tables.read("t", version)["a"].sort().to_list() == [1, 2]
    monkeypatch.undo()
    later = tables.scan("t")
    tables.merge("t", pl.DataFrame({"a": [2, 3]}), ["a"])
    tables.delete("t", "a = 1")
    assert before.collect()["a"].to_list() == [1]
    assert later.collect()["a"].sort().to_list() == [1, 2]
    assert tables.read("t")["a"].sort().to_list() == [2, 3]
    assert Tables(tmp_path).read("t", version)["a"].sort().to_list() == [1, 2]
