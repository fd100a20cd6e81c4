from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import polars as pl
import pytest

from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.erase import Subject, erase, log_tables
from drivetrain.serve.log.frame import pack
from drivetrain.serve.log.read import find
from drivetrain.serve.log.segment import segments
from drivetrain.serve.log.wal import WriteAheadLog
from serve import world
from serve.records import embedded, explanation, feedback, prediction

WHO = Subject({"customer": "ada@example.org"}, frozenset({"order-of-ada"}))


@pytest.fixture
def store(tmp_path):
    opened = world.fresh_store(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def asked(request_id, customer, entity="", **more):
    request = msgspec.Raw(json.dumps({"customer": customer, "amount": 3}).encode())
    return prediction(request_id, request=request, entity=entity, **more)


def log(folder, *entries):
    made = WriteAheadLog(folder / "plain")
    for entry in entries:
        made.append(pack(embedded(entry) if hasattr(entry, "role") else entry))
    return made


def everything(tmp_path, store):
    held = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".parquet")
    tables = [
        str(store.tables.read(name).to_dicts())
        for name in log_tables("plain")
        if store.tables.version(name) is not None
    ]
    return held + "".join(tables).encode()


ENTRIES = (
    asked("r1", "ada@example.org", "o1"),
    asked("r1", "bob@example.org", "o2", row=1),
    asked("r2", "bob@example.org", "order-of-ada"),
    asked("r3", "carl@example.org", "o3"),
    explanation("r1", 0),
    explanation("r1", 1),
    feedback("o1", 1.0),
    feedback("o3", 0.0),
    feedback("", 1.0, request_id="r1", row=0),
    feedback("", 1.0, request_id="r1", row=1),
)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("before", [True, False])
def test_what_is_theirs_goes_and_what_is_not_stays(store, folder, tmp_path, closed, before):
    writer = log(folder, *ENTRIES)
    if before:
        compact(store, folder)
    if closed:
        writer.close()
    told = erase(store, folder, "plain", WHO, dry=True)
    assert b"ada@example.org" in everything(tmp_path, store)
    done = erase(store, folder, "plain", WHO)
    assert (done.predictions, done.feedback, done.explanations) == (2, 2, 1)
    if before:
        assert (told.predictions, told.feedback, told.explanations) == (2, 2, 1)
    assert done.frames == (0 if closed else 5)
    assert len(segments(folder / "plain")) == (0 if closed else 1)
    held = everything(tmp_path, store)
    assert b"ada@example.org" not in held
    assert b"order-of-ada" not in held
    assert b"o1" not in held.replace(b"proto1", b"")
    assert [entry.row for entry in find(store, folder, "r1")] == [1]
    assert find(store, folder, "r2") == []
    assert len(find(store, folder, "r3")) == 1
    assert store.tables.read(log_tables("plain")[1]).height == 2
    assert erase(store, folder, "plain", WHO) == msgspec.structs.replace(
        done, predictions=0, feedback=0, explanations=0, frames=0
    )
    writer.append(pack(embedded(asked("r4", "carl@example.org"))))  # the worker goes on in the same segment
    writer.close()
    compact(store, folder)
    assert len(find(store, folder, "r4")) == 1
    assert store.tables.read(log_tables("plain")[0]).height == 3
    assert not list((folder / "plain").glob("*.damaged"))


def test_a_request_in_other_letters_and_a_key_of_two_parts(store, folder):
    escaped = msgspec.Raw(b'{"shop": 7, "name": "J\\u00f6rg \\"J\\" O\'Neil"}')
    other = msgspec.Raw(b'{"shop": 8, "name": "J\\u00f6rg \\"J\\" O\'Neil"}')
    log(folder, prediction("a", request=escaped, entity=""), prediction("b", request=other, entity="")).close()
    compact(store, folder)
    who = Subject({"shop": "7", "name": 'Jörg "J" O\'Neil'})
    assert erase(store, folder, "plain", who).predictions == 1
    assert find(store, folder, "a") == []
    assert len(find(store, folder, "b")) == 1


@pytest.mark.parametrize("name", ["o'clock", 'say "when"', "back\\slash", """both ' and \" marks"""])
def test_a_key_of_any_name(store, folder, name):
    for request, who in (("a", "ada"), ("b", "bob")):
        told = msgspec.Raw(msgspec.json.encode({name: who}))
        log(folder, prediction(request, request=told, entity="")).close()
    compact(store, folder)
    assert erase(store, folder, "plain", Subject({name: "ada"})).predictions == 1
    assert find(store, folder, "a") == []
    assert len(find(store, folder, "b")) == 1


def test_an_entity_that_others_have_too_takes_nothing_of_theirs(store, folder):
    log(
        folder,
        asked("a", "ada@example.org", "flight-1"),
        asked("b", "bob@example.org", "flight-1"),
        feedback("flight-1"),
    ).close()
    done = erase(store, folder, "plain", Subject({"customer": "ada@example.org"}))
    assert (done.predictions, done.feedback) == (1, 0)


def test_spoiled_bytes_that_hold_the_name_are_overwritten_and_the_rest_kept(store, folder):
    writer = log(folder, ENTRIES[3], ENTRIES[0], ENTRIES[3])
    [path] = segments(folder / "plain")
    data = path.read_bytes()
    at = data.index(b"ada@example.org")
    path.write_bytes(data[: at + 15] + b"!" + data[at + 16 :])
    writer.close()
    compact(store, folder)
    [kept] = (folder / "plain").glob("*.damaged")
    assert b"ada@example.org" in kept.read_bytes()
    erase(store, folder, "plain", WHO)
    assert b"ada@example.org" not in kept.read_bytes()
    assert kept.stat().st_size == len(data)
    assert kept.read_bytes().count(b"carl@example.org") == 2


def test_nothing_was_ever_logged(store, folder):
    assert erase(store, folder, "plain", WHO).predictions == 0


def test_workers_lose_nothing_while_it_goes_on(store, folder):
    code = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, "tests")
from serve.test_erase import asked, embedded, pack, WriteAheadLog
log = WriteAheadLog(Path({str(folder)!r}) / "plain", segment_bytes=20_000)
for number in range(2000):
    log.append(pack(embedded(asked(f"r{{number}}", "ada@example.org" if number % 3 == 0 else "bob@example.org"))))
log.close()
"""
    worker = subprocess.Popen([sys.executable, "-c", code])
    while worker.poll() is None:
        erase(store, folder, "plain", WHO)
    assert worker.returncode == 0
    erase(store, folder, "plain", WHO)
    left = store.tables.read(log_tables("plain")[0])
    assert sorted(left["request_id"], key=lambda name: int(name[1:])) == [f"r{n}" for n in range(2000) if n % 3]
    assert left.filter(pl.col("request").str.contains("ada")).height == 0
    assert not list((folder / "plain").glob("*.damaged"))
