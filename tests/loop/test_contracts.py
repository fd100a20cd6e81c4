from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import polars as pl
import pytest

from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.data.drafting.draft import as_python
from drivetrain.loop.contracts import Contracts, _suspicious
from drivetrain.loop.project import Project

PROJECT = """
import polars as pl

import drivetrain as dt


def doubled(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(twice=pl.col("x").cast(pl.Int64) * 2)


project = dt.Project("yard", objective="Count", metric="average_precision")
project.source(
    "events",
    dt.files("raw/*.csv"),
    key="id",
    time="t",
    prepare=doubled,
    contract=dt.Contract(
        {"id": dt.Column("int"), "t": dt.Column("time"), "x": dt.Column("int", low=0), "twice": dt.Column("int")},
        freshness="1d",
        on_breach="warn",
    ),
)
project.source("ages", dt.files("ages.csv"), key="age", contract=dt.Contract({"age": dt.Column("int")}))
"""


@pytest.fixture
def yard(tmp_path):
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "ages.csv").write_text("age\n7\n")
    (tmp_path / "raw").mkdir()
    rows = "".join(f"{at},2013-07-01,{at % 9}\n" for at in range(400))
    (tmp_path / "raw" / "1.csv").write_text("id,t,x\n" + rows)
    return tmp_path


def said(folder, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "drivetrain", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_draft_of_a_source_is_of_its_prepared_rows(yard):
    draft = Project.load(yard).contracts.infer("events")
    assert set(draft.columns) == {"id", "t", "x", "twice"}
    assert draft.keys == (("id",),)
    with pytest.raises(
        UnknownName, match="no source and no file of that name; found 'dogs'; expected a file, or one of"
    ):
        Project.load(yard).contracts.infer("dogs")


def test_a_file_is_held_against_what_the_table_holds(yard):
    project = Project.load(yard)
    project.run(only="data")
    new = yard / "new.csv"
    new.write_text("id,t,x,note\n900,2013-07-02,-4,a\n")
    (told,) = project.contracts.check(str(new), contract="events")
    assert (told.rows, told.bad, told.shape) == (1, 1, ("+ note String",))
    assert any("age of the newest row" in rule for rule in told.failing)
    with pytest.raises(UsageError, match="nothing says which contract"):
        project.contracts.check(str(new))
    (own,) = project.contracts.check("ages")
    assert own.kept
    assert project.store.tables.version("events") == 0


def test_the_command_drafts_checks_and_exports(yard):
    drafted = said(yard, "contract", "infer", "raw/1.csv")
    assert "DATA_1 = dt.Contract(" in drafted
    assert json.loads(said(yard, "contract", "infer", "raw/1.csv", "--json"))["keys"] == [["id"]]
    document = said(yard, "contract", "export", "ages", "--odcs")
    (yard / "ages.yaml").write_text(document)
    assert json.loads(said(yard, "contract", "export", "ages", "--json"))["kind"] == "DataContract"
    assert "✓" in said(yard, "contract", "check", "ages")
    (yard / "bad.csv").write_text("age\nx\n")
    told = json.loads(said(yard, "contract", "check", "bad.csv", "--contract", "ages", "--json", code=1))
    assert (told["kept"], told["batches"][0]["bad"]) == (False, 1)
    assert "cats" in said(yard, "contract", "check", "bad.csv", "--contract", "cats", code=2)


def test_a_file_is_checked_without_a_project(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "kind: DataContract\nschema: [{name: a, properties: [{name: x, logicalType: integer, unique: true}]}]\n"
    )
    (tmp_path / "a.csv").write_text("x\n1\n2\n2\n")
    told = said(tmp_path, "contract", "check", "a.csv", "--contract", "c.yaml", code=1)
    assert "x: expected a value that no other row has" in told
    (tmp_path / "a.csv").write_text("x\n1\n2\n")
    assert "2 rows, 0 bad" in said(tmp_path, "contract", "check", "a.csv", "--contract", "c.yaml")
    assert "dt.Contract" in said(tmp_path, "contract", "infer", "a.csv")
    assert "nothing says which contract" in said(tmp_path, "contract", "check", "a.csv", code=2)


def test_what_a_version_holds_and_what_moved(yard):
    Project.load(yard).run(only="data")
    rows = "".join(f"{at},2013-07-02,{at % 9 + 20}\n" for at in range(400, 2_000))
    (yard / "raw" / "2.csv").write_text("id,t,x\n" + rows)
    project = Project.load(yard)
    project.run(only="data")
    found = project.data("events", against=0)
    assert (found.version, found.rows) == (1, 2_000)
    x = next(column for column in found.columns if column.name == "x")
    assert (x.low, x.high, x.distinct) == (0.0, 28.0, 18)
    moved = {one.column: one for one in found.moved}
    assert moved["x"].moved
    assert "against version 0" in said(yard, "data", "events", "--against", "0")
    assert json.loads(said(yard, "data", "ages", "--json"))["columns"][0]["distinct"] == 1
    assert "there is no table 'dogs'" in said(yard, "data", "dogs", code=2)
    assert "no version 9" in said(yard, "data", "events", "--against", "9", code=2)


def test_what_is_not_fresh_is_told_by_status_and_plan(yard):
    project = Project.load(yard)
    assert "no row with a time" in project.status()["tables"][0]["stale"]
    project.run(only="data")
    project = Project.load(yard)
    assert "it is of 2013-07-01T00:00:00Z, expected at most 1d" in project.status()["tables"][0]["stale"]
    assert "stale" not in project.status()["tables"][1]
    assert "not fresh: age of the newest row" in project.plan()[0].why
    assert "events is not fresh" in said(yard, "status")
    assert "not fresh" in said(yard, "plan")


def test_a_draft_classes_what_looks_personal_and_quotes_none_of_it(tmp_path):
    people = ("ada@example.org", "bob@example.org")
    rows = "".join(f"{at},{people[at % 2]},GB82WEST12345698765432,41555526{at:02},ok\n" for at in range(60))
    (tmp_path / "a.csv").write_text("id,contact,account,serial,state\n" + rows)
    drafted = said(tmp_path, "contract", "infer", "a.csv")
    contact = next(line for line in drafted.splitlines() if '"contact"' in line)
    assert 'privacy="personal"' in contact
    assert contact.endswith("# looks like email: 60 of 60 values are one: an address")
    assert 'privacy="sensitive"' in next(line for line in drafted.splitlines() if '"account"' in line)
    assert drafted.count("privacy=") == 2
    assert "ada" not in drafted
    assert "GB82" not in drafted
    exec(compile("import drivetrain as dt\n" + drafted, "drafted", "exec"), {})


TREATED = """
import drivetrain as dt

project = dt.Project("yard", objective="Count", metric="average_precision")
told = dict(privacy="personal", treat=dt.pseudonym(key="env:YARD_KEY"))
people = project.source(
    "people", dt.files("people.csv"), key="id",
    contract=dt.Contract({"id": dt.Column("int"), "email": dt.Column("string", unique=True, **told)}),
)
project.source(
    "orders", dt.files("orders.csv"), key="oid",
    contract=dt.Contract(
        {"oid": dt.Column("int"), "email": dt.Column("string", references=("people", "email"), **told)}
    ),
)
"""


def test_check_looks_treated_values_up_as_ingestion_does(tmp_path, monkeypatch):
    monkeypatch.setenv("YARD_KEY", "a" * 64)
    (tmp_path / "project.py").write_text(TREATED)
    (tmp_path / "people.csv").write_text("id,email\n1,ada@x.org\n2,bob@x.org\n")
    (tmp_path / "orders.csv").write_text("oid,email\n1,ada@x.org\n2,bob@x.org\n")
    project = Project.load(tmp_path)
    project.run(only="data")
    [orders] = project.contracts.check("orders")
    assert (orders.rows, orders.bad) == (2, 0)
    (tmp_path / "more.csv").write_text("oid,email\n3,ada@x.org\n4,eve@x.org\n")
    [orders] = project.contracts.check(tmp_path / "more.csv", contract="orders")
    assert (orders.rows, orders.bad) == (2, 1)
    (tmp_path / "new.csv").write_text("id,email\n3,ada@x.org\n4,eve@x.org\n")
    [people] = project.contracts.check(tmp_path / "new.csv", contract="people")
    assert list(people.reasons.values()) == [1]
    project.store.close()


def test_a_draft_writes_no_value_of_what_looks_personal_or_is_called_so(tmp_path):
    rows = [
        f"{at},{100 + at % 700:03d}-45-{1000 + at:04d},{491701234000 + at},{52 + at / 1000},{at % 2}"
        for at in range(400)
    ]
    (tmp_path / "x.csv").write_text("n,ssn,phone,lat,mobile\n" + "\n".join(rows) + "\n")
    draft = Contracts(None).infer(tmp_path / "x.csv")
    python = as_python(draft, "x")
    assert "45" not in python.replace("491", "")
    assert "49" not in python
    assert "52" not in python
    assert [name for name, column in draft.columns.items() if column.privacy != "internal"] == ["ssn", "phone", "lat"]
    assert (draft.columns["n"].low, draft.columns["mobile"].high) == (0, 1)


def test_deliveries_with_a_date_that_looks_personal_are_drafted():
    frame = pl.DataFrame({"id": range(400), "birth_date": [date(1980, 1, 1 + at % 9) for at in range(400)]})
    draft = _suspicious(frame, [100] * 4)
    assert (draft.deliveries, draft.times) == (4, ("birth_date",))
    assert draft.volume is not None
    assert "1980" not in as_python(draft, "x")
