"""What is kept of a column, and that nothing else of it is anywhere."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import drivetrain as dt
from drivetrain.core.clock import now
from drivetrain.core.errors import ProjectError, RefusedError, SettingsError
from drivetrain.core.progress import Silent
from drivetrain.core.records import VaultKey
from drivetrain.core.settings import StoreSettings
from drivetrain.data.ingest import ingest
from drivetrain.data.privacy.key import read_key
from drivetrain.data.privacy.vault import KeyRing, unseal
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.store.bundle import open_store

KEY = "0123456789abcdef" * 4
HEADER = "id,who,email,card,born,age,town,note,pin\n"
ROWS = [
    "1,erin,erin.weber@example.org,4111111111111111,1990-05-17,17,Ulm,met erin twice,7391",
    "2,theo,theo.okafor@example.org,5555555555554444,1985-01-02,30,Bonn,,8642",
    "3,erin,erin.weber@example.org,4111111111111111,1990-05-17,64,Ulm,again,7391",
]
BAD = "4,zora,zora.quist@example.org,4012888888881881,1970-03-04,-5,Ulm,bad age,5512"
ODD = "5,olaf.lund@example.org"
SECRETS = [
    "erin.weber",
    "theo.okafor",
    "zora.quist",
    "olaf.lund",
    "4111111111111111",
    "1990-05-17",
    "met erin",
    "7391",
    "5512",
]
COLUMNS = {
    "id": dt.Column("int"),
    "who": dt.Column("string", treat=dt.pseudonym(key="env:PSEUDONYM_KEY")),
    "email": dt.Column("string", pattern="@", treat=dt.vault(key="env:MASTER_KEY", subject="who")),
    "card": dt.Column("string", treat=dt.mask()),
    "born": dt.Column("date", treat=dt.generalise(to="year")),
    "age": dt.Column("int", low=0, treat=dt.generalise(bins=[18, 30])),
    "town": dt.Column("string", treat=dt.generalise(groups={"Ulm": "south"})),
    "note": dt.Column("string", treat=dt.truncate(3)),
    "pin": dt.Column("int", treat=dt.drop()),
}


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("PSEUDONYM_KEY", KEY)
    monkeypatch.setenv("MASTER_KEY", KEY[::-1])
    opened = open_store(StoreSettings(), tmp_path)
    yield opened
    opened.close()


def take_in(store, columns=COLUMNS, lines=(*ROWS, BAD, ODD)):
    (store.folder / "raw").mkdir(exist_ok=True)
    (store.folder / "raw" / "a.csv").write_text(HEADER + "\n".join(lines) + "\n")
    source = Source(name="people", reader=files("raw/*.csv"), key=("id",), contract=dt.Contract(columns))
    made = ingest(store, source, folder=store.folder, now=now(), progress=Silent(), sources={"people": source})
    return store.tables.read("people").sort("id"), made


def held(folder, text):
    state = folder / ".drivetrain"
    found = [path for path in state.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return found + [path for path in state.rglob("*.parquet") if text in str(pl.read_parquet(path).to_dicts())]


def test_only_what_was_made_of_values_is_kept(store):
    rows, made = take_in(store)
    assert rows.columns[:8] == ["id", "who", "email", "card", "born", "age", "town", "note"]
    key = bytes.fromhex(KEY)
    digest = hmac.new(key, b"erin", hashlib.sha256).hexdigest()[:32]
    assert rows["who"][0].partition(".")[2] == digest
    assert rows["who"].n_unique() == 2
    assert rows["card"].to_list() == ["4" + "*" * 14 + "1", "5" + "*" * 14 + "4", "4" + "*" * 14 + "1"]
    assert rows["born"].to_list() == [date(1990, 1, 1), date(1985, 1, 1), date(1990, 1, 1)]
    assert rows["age"].to_list() == ["<18", "≥30", "≥30"]
    assert rows["town"].to_list() == ["south", "other", "south"]
    assert rows["note"].to_list() == ["met", None, "aga"]
    ring = KeyRing(store.catalog, store.folder)
    assert unseal(ring.known("env:MASTER_KEY", "erin"), rows["email"][0]) == "erin.weber@example.org"
    assert rows["email"][0] == rows["email"][2] != rows["email"][1]
    assert made.quarantined == 2
    for secret in SECRETS:
        assert held(store.folder, secret) == [], secret


def test_quarantine_keeps_no_raw_value_and_says_what_was_wrong(store):
    take_in(store)
    quarantine = store.tables.read("quarantine/people")
    bad = quarantine.filter(pl.col("_row").str.contains('"id"')).row(0, named=True)
    assert bad["_rules"] == ["age: expected at least 0"]
    assert bad["_reasons"] == ["age: found (withheld), expected at least 0"]
    assert '"email": "(withheld)"' in bad["_row"]
    digest = hmac.new(bytes.fromhex(KEY), b"zora", hashlib.sha256).hexdigest()[:32]
    assert digest in bad["_row"]


def test_taken_in_again_nothing_changes(store):
    before, made = take_in(store)
    after, again = take_in(store, lines=(*ROWS, BAD, ODD, ROWS[0]))
    assert after.equals(before)
    assert again.quarantined == made.quarantined == 2 or again.version == made.version
    changed, _ = take_in(store, lines=(ROWS[0].replace("Ulm", "Bonn"), *ROWS[1:], BAD, ODD))
    assert changed["town"].to_list() == ["other", "other", "south"]
    assert changed.height == 3


def test_a_key_that_is_destroyed_takes_all_with_it(store):
    rows, _ = take_in(store)
    ring = KeyRing(store.catalog, store.folder)
    kept = ring.known("env:MASTER_KEY", "erin")
    assert ring.destroy("env:MASTER_KEY", "erin") == 1
    assert ring.known("env:MASTER_KEY", "erin") is None
    assert held(store.folder, kept.hex()) == []
    other = ring.known("env:MASTER_KEY", "theo")
    with pytest.raises(RefusedError, match="can't be opened"):
        unseal(other, rows["email"][0])
    assert unseal(other, rows["email"][1]) == "theo.okafor@example.org"


def test_keys_are_wrapped_as_the_standard_library_would_unwrap_them(store, monkeypatch):
    take_in(store)
    [one, _] = store.catalog.find(VaultKey)
    master = hashlib.sha256(b"wrap" + bytes.fromhex(KEY[::-1])).digest()
    assert len(AESGCM(master).decrypt(one.wrapped[:12], one.wrapped[12:], one.name.encode())) == 32
    monkeypatch.setenv("MASTER_KEY", KEY)
    assert KeyRing(store.catalog, store.folder).known("env:MASTER_KEY", "erin") is None


def test_another_key_reads_the_source_anew_and_all_pseudonyms_are_of_it(store, monkeypatch):
    before, _ = take_in(store)
    monkeypatch.setenv("NEXT_KEY", KEY[1:] + KEY[0])
    who = dt.Column("string", treat=dt.pseudonym(key="env:NEXT_KEY"))
    after, _ = take_in(store, COLUMNS | {"who": who})
    assert after["who"].str.slice(0, 4).n_unique() == 1
    assert not set(after["who"]) & set(before["who"])
    assert after["who"].n_unique() == 2


def declared(**columns):
    return Source(name="s", reader=files("a"), key=("id",), time="t", contract=dt.Contract(columns))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: dt.truncate(0), "at least one letter"),
        (dt.generalise, "one of bins, to and groups"),
        (lambda: dt.generalise(bins=[3, 1]), "bins must rise"),
        (lambda: dt.generalise(to="week"), "no such unit of time; found 'week'; expected day, month, year"),
        (lambda: dt.pseudonym(key="hunter2"), "expected env:NAME or file:PATH"),
        (lambda: declared(id=dt.Column("int", treat=dt.mask())), "needs column 'id'"),
        (lambda: declared(t=dt.Column("time", treat=dt.generalise(to="day"))), "needs column 't'"),
    ],
)
def test_what_cannot_be_declared(make, said):
    with pytest.raises(ProjectError, match=said):
        make()


def test_keys_come_from_where_they_are_said_to_be(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="NOWHERE is not there"):
        read_key("env:NOWHERE", tmp_path)
    monkeypatch.setenv("SHORT", "abc")
    with pytest.raises(SettingsError, match="too short; found 3 bytes; expected 32 or more"):
        read_key("env:SHORT", tmp_path)
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        read_key("file:none", tmp_path)
    assert read_key("file:made", tmp_path, make=True) == read_key("file:made", tmp_path)
    monkeypatch.setenv("HEX", KEY)
    assert read_key("env:HEX", tmp_path) == bytes.fromhex(KEY)
