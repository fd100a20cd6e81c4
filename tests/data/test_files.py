from __future__ import annotations

import gzip
import io
import json
import os
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.feeds import write

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.core.hashing import digest_bytes
from drivetrain.data.readers.delimited import read_csv
from drivetrain.data.readers.files import files
from drivetrain.data.readers.lines import read_jsonl


def read_all(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return batches, batches[-1].cursor if batches else cursor


def test_every_format_gives_the_same_rows(tmp_path):
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.write_parquet(tmp_path / "1.parquet")
    frame.write_ipc(tmp_path / "1.arrow")
    frame.write_ndjson(tmp_path / "1.jsonl")
    frame.write_csv(tmp_path / "1.csv")
    frame.write_csv(tmp_path / "1.tsv", separator="\t")
    for suffix in ("parquet", "arrow", "jsonl"):
        [batch], _ = read_all(files(f"*.{suffix}"), tmp_path)
        assert batch.rows.equals(frame), suffix
    for suffix in ("csv", "tsv"):
        [batch], _ = read_all(files(f"*.{suffix}"), tmp_path)
        assert batch.rows.rows() == [("1", "x"), ("2", None)]


def test_packed_files_and_workbooks_give_the_same_rows(tmp_path):
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None], "c": [1.5, -2.0], "d": [date(2013, 7, 1), date(2013, 7, 2)]})
    shutil.copy(Path(__file__).with_name("two.xlsx"), tmp_path / "1.xlsx")
    write(frame.select("a", "b"), tmp_path / "1.csv.gz")
    write(frame.select("a", "b"), tmp_path / "1.csv.zst")
    for suffix in ("csv.gz", "csv.zst"):
        [batch], _ = read_all(files(f"*.{suffix}"), tmp_path)
        assert batch.rows.rows() == [("1", "x"), ("2", None)]
    [batch], _ = read_all(files("*.xlsx"), tmp_path)
    assert batch.rows.equals(frame)
    [batch], _ = read_all(files("*.xlsx", sheet="other"), tmp_path)
    assert batch.rows.to_dicts() == [{"z": "1"}, {"z": "warm"}]
    with pytest.raises(SourceError, match="sheet"):
        read_all(files("*.xlsx", sheet="absent"), tmp_path)
    assert files("*.xlsx", sheet="other").digest != files("*.xlsx").digest


def test_a_large_file_that_is_changed_between_its_pieces_is_begun_again(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n" + "1\n" * 500)
    reader = files("a.csv", budget_mib=0.004)
    first, second, *_ = reader.read(tmp_path, "")
    assert (first.before, first.more, second.before) == (0, True, first.rows.height)
    assert reader.pending(tmp_path, first.cursor) == "1 changed file: a.csv"
    rest, cursor = read_all(reader, tmp_path, second.cursor)
    assert sum(batch.rows.height for batch in (first, second, *rest)) == 500
    assert not any(batch.again for batch in rest)
    assert not rest[-1].more
    assert reader.pending(tmp_path, cursor) is None
    path.write_text("a\n" + "2\n" * 500)
    anew, _ = read_all(reader, tmp_path, second.cursor)
    assert [batch.again for batch in anew] == [True] + [False] * (len(anew) - 1)
    assert sum(batch.rows.height for batch in anew) == 500
    reading = reader.read(tmp_path, "")
    next(reading)
    path.write_text("a\n" + "3\n" * 600)
    with pytest.raises(SourceAway, match=r"a\.csv was changed while it was read"):
        list(reading)


def test_a_cursor_of_an_older_release_is_understood(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    stat = path.stat()
    old = json.dumps({"a.csv": [stat.st_size, stat.st_mtime_ns, digest_bytes(path.read_bytes())]})
    assert list(files("a.csv").read(tmp_path, old)) == []


def test_a_file_is_read_once_and_again_when_its_bytes_change(tmp_path):
    reader = files("raw/*.csv")
    (tmp_path / "raw").mkdir()
    path = tmp_path / "raw" / "b.csv"
    path.write_text("a\n1\n")
    (tmp_path / "raw" / "a.csv").write_text("a\n0\n")
    assert reader.pending(tmp_path, "") == "2 new files: a.csv, b.csv"
    batches, cursor = read_all(reader, tmp_path)
    assert [(batch.origin, batch.again) for batch in batches] == [("raw/a.csv", False), ("raw/b.csv", False)]
    assert reader.pending(tmp_path, cursor) is None
    assert list(reader.read(tmp_path, cursor)) == []
    os.utime(path, ns=(5, 5))
    assert reader.pending(tmp_path, cursor) is None
    assert list(reader.read(tmp_path, cursor)) == []
    path.write_text("a\n1\n2\n")
    assert reader.pending(tmp_path, cursor) == "1 changed file: b.csv"
    [batch], cursor = read_all(reader, tmp_path, cursor)
    assert (batch.origin, batch.again, batch.rows.height) == ("raw/b.csv", True, 2)
    path.unlink()
    assert reader.pending(tmp_path, cursor) is None


def test_the_cursor_after_each_batch_knows_only_what_was_read(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"a\n{name}\n")
    reader = files("*.csv")
    batches = list(reader.read(tmp_path, ""))
    assert [batch.origin for batch in reader.read(tmp_path, batches[0].cursor)] == ["b.csv", "c.csv"]


def test_its_fingerprint_changes_with_what_is_there(tmp_path):
    reader = files("*.csv")
    seen = {reader.fingerprint(tmp_path)}
    (tmp_path / "a.csv").write_text("a\n1\n")
    seen.add(reader.fingerprint(tmp_path))
    (tmp_path / "a.csv").write_text("a\n1\n2\n")
    seen.add(reader.fingerprint(tmp_path))
    assert len(seen) == 3
    assert reader.fingerprint(tmp_path) in seen


def test_a_missing_file_and_an_empty_match_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"raw/airlines\.csv is not there"):
        list(files("raw/airlines.csv").read(tmp_path, ""))
    with pytest.raises(SourceError, match=r"no file matches raw/\*\.csv"):
        list(files("raw/*.csv").read(tmp_path, ""))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.parquet", b"PAR1 but cut", "a.parquet can't be read as parquet"),
        ("a.arrow", b"nothing", "a.arrow can't be read as arrow"),
        ("a.csv", b"", "a.csv has no header"),
        ("a.csv", b"a,b,a\n1,2,3\n", "a.csv names a column twice"),
        ("a.xlsx", b"x", "a.xlsx can't be read as excel"),
        ("a.doc", b"x", "format that can't be told"),
        ("a.csv.gz", b"x", "a.csv.gz can't be unpacked: Not a gzipped file"),
        ("a.csv.gz", gzip.compress(b"a,b\n" * 1000, mtime=0)[:-9], "a.csv.gz can't be unpacked: Compressed file ended"),
        ("a.csv.zst", b"x", "a.csv.zst can't be unpacked"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError, match=words):
        list(files("a.*").read(tmp_path, ""))


def test_an_unknown_format_is_refused_when_declared():
    with pytest.raises(ProjectError, match="unknown"):
        files("a", format="xlsx")
    with pytest.raises(ProjectError, match="more than 0"):
        files("a", budget_mib=0)


def test_csv_rows_that_do_not_parse_are_named_by_line():
    data = b'a,b\n1,x\n2\n3,y,z\n4,"q\nr"\n5,\xff\n6,\n'
    frame, bad = read_csv(data, "f.csv", ",", ())
    assert frame.rows() == [("1", "x"), ("4", "q\nr"), ("6", None)]
    assert [(row.line, row.reason) for row in bad] == [
        (3, "unreadable row: found 1 fields, expected 2"),
        (4, "unreadable row: found 3 fields, expected 2"),
        (7, "unreadable row: found bytes that are not UTF-8"),
    ]


def test_declared_nulls_and_a_byte_order_mark_are_understood():
    frame, bad = read_csv("\ufeffa,b\n1,NA\n,2\n".encode(), "f.csv", ",", ("NA",))
    assert frame.rows() == [("1", None), (None, "2")]
    assert not bad


FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00", exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.lists(FIELDS, min_size=1, max_size=4), max_size=8))
def test_short_and_long_csv_rows_never_pass_for_whole_ones(rows):
    text = io.StringIO()
    text.write("a,b\n")
    for row in rows:
        text.write(",".join('"' + field.replace('"', '""') + '"' for field in row) + "\n")
    frame, bad = read_csv(text.getvalue().encode(), "f.csv", ",", ())
    assert [tuple(field or None for field in row) for row in rows if len(row) == 2] == [
        tuple(field or None for field in row) for row in frame.rows()
    ]
    assert len(bad) == sum(len(row) != 2 for row in rows)


def test_json_lines_keep_types_and_name_what_is_no_object():
    data = b'{"a": 1, "b": "x"}\n\n{"a": 2.5, "c": {"d": 1}}\n[1]\n{"a": \n'
    frame, bad = read_jsonl(data)
    assert frame.to_dicts() == [{"a": 1.0, "b": "x", "c": None}, {"a": 2.5, "b": None, "c": '{"d":1}'}]
    assert [row.line for row in bad] == [4, 5]
    assert bad[0].text == "[1]"


def test_json_members_of_several_types_stay_as_text():
    frame, _ = read_jsonl(b'{"a": 1}\n{"a": "abc"}\n{"a": true}\n{"a": null}\n')
    assert frame["a"].to_list() == ["1", "abc", "true", None]
