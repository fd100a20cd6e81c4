"""A subject is forgotten: no byte of them is left under the project's state, whatever was kept of them there."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import lmdb
import polars as pl
import pytest
from tests.loop.shop import ORDER, command, copy_shop, serving

from drivetrain.core.errors import StoreError, UnknownName, UsageError
from drivetrain.core.records import Decision, Forgetting, TableVersion, VaultKey
from drivetrain.data.profile import profile
from drivetrain.data.treatment import pseudonym_of
from drivetrain.features.online.layout import key_of_one
from drivetrain.loop.project import Project
from drivetrain.loop.push import push
from drivetrain.loop.runner import holding
from drivetrain.serve.log.compact import compact

WHO = "erin.weber@example.org"
OTHER = "theo.okafor@example.org"
HEADER = "order_id,customer,ordered,decided,category,amount,returned\n"


def rows_of(name, mark):
    """Ten good orders, one that breaks the contract, one that is no row at all."""
    good = [
        f"{mark}-{n:02d},{name},2026-06-0{n % 9 + 1}T10:00:00Z,2026-06-1{n % 9}T10:00:00Z,lamps,{20 + n},0"
        for n in range(10)
    ]
    bad = f"{mark}-bad,{name},2026-06-03T10:00:00Z,2026-06-13T10:00:00Z,lamps,-5,0"
    return [*good, bad, f"{mark}-odd,{name},2026-06-03T10:00:00Z"]


def held(folder, text):
    """Files under the state that hold a text: as they lie, and as Parquet, LMDB and SQLite give it back."""
    state = folder / ".drivetrain"
    found = set()
    for path in state.rglob("*"):
        if not path.is_file():
            continue
        if text.encode() in path.read_bytes():
            found.add(path.relative_to(state).as_posix())
        if path.suffix == ".parquet" and text in str(pl.read_parquet(path).to_dicts()):
            found.add(path.relative_to(state).as_posix())
    return found


@pytest.fixture(scope="module")
def lived_in(made_shop, tmp_path_factory):
    """A shop that has taken both of them in, answered about them, learned what came true and been pushed events."""
    folder = copy_shop(made_shop, tmp_path_factory.mktemp("lived") / "shop")
    (folder / "raw" / "more.csv").write_text(HEADER + "\n".join([*rows_of(WHO, "ew"), *rows_of(OTHER, "to")]) + "\n")
    project = Project.load(folder)
    project.run(at="2026-06-30")
    version = project.store.tables.version("orders")
    profile(project.store, "orders", version)
    moment = datetime.now(UTC) - timedelta(minutes=5)
    for name, mark in ((WHO, "ew"), (OTHER, "to")):
        event = {
            **ORDER,
            "customer": name,
            "order_id": f"{mark}-pushed",
            "ordered": moment,
            "decided": moment,
            "returned": 0,
        }
        assert push(project, "history", [event]) == 1
    with serving(folder) as client:
        for number in range(6):
            asked = [
                {**ORDER, "customer": name, "order_id": f"{mark}-{number:02d}"}
                for name, mark in ((WHO, "ew"), (OTHER, "to"))
            ]
            client.predict("returned", asked)
            if number == 2:
                compact(project.store, project.log_folder)
        client.feedback("returned", [{"entity": "ew-01", "label": 1}, {"entity": "to-01", "label": 0}])
    project.store.close()
    for text in (WHO, "ew-03"):
        places = {path.split("/")[0] for path in held(folder, text)}
        assert places >= (
            {"tables", "log", "online", "catalog.db-wal"}
            if text == WHO and (folder / ".drivetrain/catalog.db-wal").exists()
            else {"tables", "log"}
        )
    return folder


@pytest.fixture
def shop(lived_in, tmp_path):
    return copy_shop(lived_in, tmp_path / "shop")


def gone(folder):
    assert held(folder, WHO) == set()
    for mark in ("ew-0", "ew-bad", "ew-odd", "ew-pushed"):
        assert held(folder, mark) == set()


def stays(project):
    tables = project.store.tables
    assert tables.read("orders").filter(customer=OTHER).height == 10
    assert tables.read("quarantine/orders").filter(pl.col("_row").str.contains(OTHER)).height == 2
    assert tables.read("log/returned/predictions").height == 12
    assert tables.read("log/returned/feedback").height == 1
    assert project.store.online.read(project.views["history"].space, [key_of_one(OTHER)])[0] is not None


def test_no_byte_is_left_and_nobody_else_lost_any(shop):
    project = Project.load(shop)
    told = project.forget("customer", WHO, dry_run=True)
    assert told.dry_run
    assert held(shop, WHO)
    assert told.erased["orders"] == 10
    assert told.erased["quarantine/orders"] == 2
    assert told.erased["online rows of history"] == 1
    assert told.erased["statistics of tables"] >= 1
    assert told.outside == ("raw/more.csv",)
    said = project.forget("customer", WHO)
    assert said.done
    assert said.left == ()
    assert said.erased["log of returned: predictions"] == 12  # the champion's and its shadow's
    assert said.erased["log of returned: feedback"] == 1
    assert said.erased["training/returned"] == 10
    assert [(one.model, one.version, one.rows, one.serves) for one in said.versions][-1][2] == 10
    gone(shop)
    stays(project)
    assert project.forget("customer", WHO).erased == {}


def test_the_record_says_that_it_was_done_and_not_to_whom(shop):
    project = Project.load(shop)
    said = project.forget("customer", WHO, because="letter of 3 July", actor="dpo")
    [record] = project.store.catalog.find(Forgetting)
    assert record.id == said.id
    assert (record.state, record.actor, record.because, record.left) == ("done", "dpo", "letter of 3 July", ())
    assert record.erased == said.erased
    assert len(record.digest) == 64
    assert record.versions == tuple(one.ref for one in said.versions)
    assert project.forget("customer", WHO, dry_run=True).digest == record.digest
    assert project.forget("customer", OTHER, dry_run=True).digest != record.digest
    assert (shop / ".drivetrain" / "privacy.key").stat().st_mode & 0o077 == 0


def test_what_the_source_brings_again_is_left_out_and_what_is_new_comes_in(shop):
    Project.load(shop).forget("customer", WHO)
    path = shop / "raw" / "more.csv"
    path.write_text(path.read_text() + f"ew-new,{WHO},2099-01-01T00:00:00Z,2099-01-02T00:00:00Z,lamps,1,0\n")
    project = Project.load(shop)
    project.run(only="data")
    mine = project.store.tables.read("orders").filter(customer=WHO)
    assert mine["order_id"].to_list() == ["ew-new"]
    newest = project.store.catalog.find(TableVersion, "orders", limit=1)[0]
    assert newest.reasons["of a subject that was forgotten: left out"] == 11
    quarantine = project.store.tables.read("quarantine/orders")
    assert not quarantine["_row"].str.contains("ew-bad").any()
    assert project.store.tables.read("orders").filter(customer=OTHER).height == 10
    edit = shop / "project.py"
    edit.write_text(
        edit.read_text().replace('"amount": dt.Column("float", low=0)', '"amount": dt.Column("float", low=0, high=1e9)')
    )
    again = Project.load(shop)
    again.run(only="data")  # read again from the start
    assert again.store.tables.read("orders").filter(customer=WHO)["order_id"].to_list() == ["ew-new"]


def test_the_road_goes_on(shop):
    project = Project.load(shop)
    project.forget("customer", WHO)
    assert project.features("history")[0].online.behind == 0
    plan = {step.name: step for step in project.plan()}
    assert plan["ingest:orders"].state == "run"
    assert "forgotten" in plan["ingest:orders"].why
    outcome = project.run(at="2026-06-30")
    assert outcome.refused == ()
    assert all(step.state == "done" for step in project.plan())
    assert project.training_set().height > 5000
    assert project.skew("returned")
    gone(shop)


def test_retraining_is_asked_for_and_then_done(made_shop, tmp_path):
    project = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    said = project.forget("customer", "c004", retrain=True)
    assert said.retrain == ("returned",)
    [asked] = [one for one in project.store.catalog.find(Decision, "returned") if one.what == "retrain"]
    assert json.loads(asked.evidence) == {"forgetting": said.id}
    before = max(one.version for one in said.versions)
    project.tick(asked.at + 1)
    registered = [one.version for one in project.store.catalog.find(Decision, "returned") if one.what == "register"]
    assert max(registered) > before


def test_a_server_runs_meanwhile(shop):
    with serving(shop) as client:
        answer = client.predict("returned", [{**ORDER, "customer": WHO, "order_id": "ew-live"}])
        first = command(shop, "forget", "customer", WHO, "--json")
        said = json.loads(first.stdout)
        assert said["left"] == []
        assert said["erased"]["log of returned: entries in segments"] >= 1
        gone(shop)
        again = client.predict("returned", [{**ORDER, "customer": OTHER, "order_id": "to-live"}])
    project = Project.load(shop)
    compact(project.store, project.log_folder)
    with pytest.raises(UnknownName):
        project.trace(answer["request_id"])
    assert project.trace(again["request_id"])["prediction"]["request"]["customer"] == OTHER
    gone(shop)
    assert not list(project.log_folder.rglob("*.damaged"))


@pytest.mark.slow
def test_killed_at_any_instant_the_next_call_does_the_rest(shop, tmp_path):
    load = "from drivetrain.loop.project import Project; import sys; Project.load(sys.argv[1])"
    code = f"{load}.forget('customer', '{WHO}')"
    began = time.monotonic()
    whole = copy_shop(shop, tmp_path / "whole")
    subprocess.run([sys.executable, "-c", code, str(whole)], check=True)
    seconds = time.monotonic() - began
    for number in range(5):
        copy = tmp_path / "killed"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(shop, copy)
        process = subprocess.Popen([sys.executable, "-c", code, str(copy)])
        try:
            process.wait(seconds * (0.35 + 0.65 * number / 5))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        project = Project.load(copy)
        said = project.forget("customer", WHO)
        assert said.done
        gone(copy)
        stays(project)
        assert {record.state for record in project.store.catalog.find(Forgetting)} == {"done"}
        project.run(only="data")
        assert project.store.tables.read("orders").filter(customer=WHO).height == 0
        newest = project.store.catalog.find(TableVersion, "orders", limit=1)[0]
        assert newest.rows == project.store.tables.read("orders").height
        project.store.close()


def test_what_is_left_is_named_and_the_record_stays_open(shop):
    stray = shop / ".drivetrain" / "notes.txt"
    stray.write_text(f"call {WHO} back")
    done = command(shop, "forget", "customer", WHO, check=False)
    assert done.returncode == 1
    assert "Left: .drivetrain/notes.txt" in done.stdout
    project = Project.load(shop)
    [record] = project.store.catalog.find(Forgetting)
    assert (record.state, record.left) == ("open", (".drivetrain/notes.txt",))
    stray.unlink()
    assert project.forget("customer", WHO).id == record.id
    [record] = project.store.catalog.find(Forgetting)
    assert record.state == "done"
    assert record.erased["orders"] == 10


def test_names_and_keys_that_do_not_fit(shop):
    project = Project.load(shop)
    with pytest.raises(UnknownName, match="no feature view describes an entity 'shop'; expected one of customer"):
        project.forget("shop", "x")
    with pytest.raises(UsageError, match="a customer is named by customer"):
        project.forget("customer", "")
    nobody = project.forget("customer", "nobody@example.org", dry_run=True)
    assert nobody.erased == {}
    with holding(project.store.leases, "run"):
        other = Project.load(shop)
        other.store.leases.acquire = lambda *_: None
        with pytest.raises(StoreError, match="another process is working"):
            other.forget("customer", WHO)


def test_pseudonyms_are_found_by_the_key_behind_them_and_sealed_values_lose_theirs(made_shop, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "k" * 32)
    folder = copy_shop(made_shop, tmp_path / "shop")
    path = folder / "project.py"
    text = path.read_text().replace(
        'privacy="personal")', 'privacy="personal", treat=dt.pseudonym(key="env:SHOP_KEY"))'
    )
    plain = '"category": dt.Column("string", nullable=False)'
    assert plain in text
    path.write_text(text.replace(plain, plain[:-1] + ', treat=dt.vault(key="env:SHOP_KEY", subject="customer"))'))
    project = Project.load(folder)
    project.run(only="data")
    rows = project.store.tables.read("orders")
    assert not rows["customer"].str.contains("c004").any()
    assert rows["category"].str.starts_with("v1.").all()
    keys = len(project.store.catalog.find(VaultKey))
    said = project.forget("customer", "c004")
    assert said.done
    assert said.erased["orders"] == 76
    assert said.erased["keys of sealed values"] == 1
    assert len(project.store.catalog.find(VaultKey)) == keys - 1
    project.run(only="data")
    assert project.store.tables.read("orders").height == rows.height - 76


TWO_KEYS = """
import drivetrain as dt

project = dt.Project("p", objective="o", metric="m")
person = dt.Entity("person", keys=["who"])
for name, treat in (("a", dt.pseudonym(key="env:KEY_A")), ("b", dt.pseudonym(key="env:KEY_B")), ("c", None)):
    source = project.source(
        name,
        dt.files(f"{name}.csv"),
        key="n",
        time="t",
        contract=dt.Contract(
            {
                "n": dt.Column("int"),
                "t": dt.Column("time"),
                "who": dt.Column("string", privacy="personal", treat=treat),
                "x": dt.Column("float"),
            }
        ),
    )
    project.feature_view(f"of_{name}", entity=person, source=source, features=[dt.mean("x", windows="7d")])
"""


def test_a_subject_goes_from_every_source_whatever_keys_its_pseudonyms_are_of(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY_A", "a" * 32)
    monkeypatch.setenv("KEY_B", "b" * 32)
    (tmp_path / "project.py").write_text(TWO_KEYS)
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"n,t,who,x\n1,2026-06-01,{WHO},1\n2,2026-06-01,{OTHER},1\n")
    project = Project.load(tmp_path)
    project.run(only="data")
    with pytest.raises(UsageError, match="by the key behind its pseudonyms"):
        project.forget("person", pseudonym_of(b"a" * 32, WHO))
    said = project.forget("person", WHO)
    assert {name: said.erased[name] for name in "abc"} == dict.fromkeys("abc", 1)
    kept = {name: project.store.tables.read(name)["who"].to_list() for name in "abc"}
    assert kept == {"a": [pseudonym_of(b"a" * 32, OTHER)], "b": [pseudonym_of(b"b" * 32, OTHER)], "c": [OTHER]}
    assert said.done
    for key in (b"a" * 32, b"b" * 32):
        assert held(tmp_path, pseudonym_of(key, WHO)) == set()
    project.store.close()


def test_who_was_forgotten_stays_forgotten_when_the_key_of_pseudonyms_changes(made_shop, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "k" * 32)
    monkeypatch.setenv("NEW_KEY", "n" * 32)
    folder = copy_shop(made_shop, tmp_path / "shop")
    path = folder / "project.py"
    treat = ', treat=dt.pseudonym(key="env:SHOP_KEY"))'
    path.write_text(path.read_text().replace('privacy="personal")', 'privacy="personal"' + treat))
    project = Project.load(folder)
    project.run(only="data")
    assert project.forget("customer", "c004").erased["orders"] == 76
    path.write_text(path.read_text().replace("SHOP_KEY", "NEW_KEY"))
    again = Project.load(folder)
    again.run(only="data")  # read again from the start
    rows = again.store.tables.read("orders")
    assert rows.height == 6000 - 76
    assert not (rows["customer"] == pseudonym_of(b"n" * 32, "c004")).any()


def test_lmdb_is_there_to_be_searched(shop):
    """The search of the proof reads the file that rows are in: it would find one that is left."""
    path = shop / ".drivetrain" / "online"
    assert (path / "data.mdb").stat().st_size > 0
    environment = lmdb.open(str(path), readonly=True, lock=False)
    assert environment.stat()["entries"] > 0
    environment.close()
