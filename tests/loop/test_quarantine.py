from __future__ import annotations

import json
import subprocess
import sys

import polars as pl
import pytest

from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.records import Access, Decision
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.loop.project import Project
from drivetrain.loop.quarantine import chosen

PROJECT = """
import drivetrain as dt

project = dt.Project("yard", objective="Count", metric="average_precision")
project.source(
    "people",
    dt.files("raw/*.csv"),
    key="id",
    contract=dt.Contract(
        {
            "id": dt.Column("int"),
            "mail": dt.Column("string", pattern="@", privacy="personal"),
            "age": dt.Column("int", low=0, references=("ages", "age")),
        }
    ),
)
project.source("ages", dt.files("ages.csv"), key="age", contract=dt.Contract({"age": dt.Column("int")}))
"""


@pytest.fixture
def yard(tmp_path):
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "ages.csv").write_text("age\n7\n")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "1.csv").write_text("id,mail,age\n1,a@b.c,7\n2,nobody,7\n3,c@d.e,-8\n4,x@y.z,9\n5\n")
    Project.load(tmp_path).run(only="data")
    return tmp_path


def test_rows_are_listed_and_shown_with_personal_values_masked(yard):
    project = Project.load(yard)
    (heap,) = project.quarantine.list()
    assert (heap.source, heap.rows) == ("people", 4)
    assert heap.rules == {
        "age: expected a age of table ages": 2,
        "age: expected at least 0": 1,
        "mail: expected text like @": 1,
        "unreadable row": 1,
    }
    shown = project.quarantine.show("people", rule="mail")
    assert shown[0].values == {"id": 2, "mail": "masked", "age": 7}
    assert shown[0].reasons == ("mail: found a masked value, expected text like @",)
    assert project.quarantine.show("people", rule="mail", unmasked=True)[0].values["mail"] == "nobody"
    unreadable = next(row for row in project.quarantine.show("people") if row.values is None)
    assert (unreadable.line, unreadable.text) == (6, "masked")
    assert len(project.quarantine.show("people", limit=2)) == 2


def test_they_come_back_after_a_fix_and_steps_that_need_them_run_again(yard):
    (yard / "ages.csv").write_text("age\n7\n9\n")
    project = Project.load(yard)
    project.run(only="data")
    assert [step.state for step in project.plan()] == ["done", "done"]
    made = project.quarantine.readmit("people", rule="age of table")
    assert (made.tried, made.admitted, made.refused) == (2, 1, 1)
    steps = {step.name: step for step in Project.load(yard).plan()}
    assert (steps["ingest:people"].state, steps["ingest:people"].why) == ("run", "new from rows brought back")
    Project.load(yard).run(only="data")
    assert all(step.state == "done" for step in Project.load(yard).plan())


def test_unknown_sources_and_rows_are_named(yard):
    quarantine = Project.load(yard).quarantine
    with pytest.raises(UnknownName, match="no source goes by that name; found 'dogs'; expected one of people, ages"):
        quarantine.show("dogs")
    with pytest.raises(UnknownName, match="no row that is set aside goes by that name; found beef"):
        quarantine.readmit("people", rows=["beef"])
    with pytest.raises(UsageError, match="nothing says which rows"):
        quarantine.drop("people")
    assert quarantine.drop("people", rule="mail") == 1
    assert quarantine.drop("people", every=True) == 3
    assert quarantine.list() == []


def said(folder, *words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "drivetrain", *words, "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_command(yard):
    assert "people  4 rows" in said(yard, "quarantine", "list")
    rows = json.loads(said(yard, "quarantine", "show", "people", "--rule", "at least", "--json"))
    assert [row["values"]["id"] for row in rows] == [3]
    told = said(yard, "quarantine", "readmit", "people", "--row", rows[0]["row"], "--set", "age=7")
    assert "1 of 1 rows are back; people is at version 1" in told
    assert "COLUMN=VALUE" in said(yard, "quarantine", "readmit", "people", "--set", "age", code=2)
    assert json.loads(said(yard, "quarantine", "drop", "people", "--all", "--json")) == {
        "source": "people",
        "dropped": 3,
    }
    assert "No row is set aside" in said(yard, "quarantine", "list")


def test_what_is_done_is_on_record_and_so_is_who_looks_at_private_values(yard):
    project = Project.load(yard)
    catalog = project.store.catalog
    project.quarantine.show("people")
    assert catalog.find(Access) == []
    project.quarantine.show("people", rule="nobody broke this", unmasked=True)
    assert catalog.find(Access) == [], "nothing was shown"
    said(yard, "quarantine", "show", "people", "--rule", "mail", "--unmasked")
    (read,) = catalog.find(Access)
    assert (read.what, read.about, read.columns, read.rows) == ("quarantine", "people", ("mail",), 1)
    said(yard, "quarantine", "readmit", "people", "--rule", "at least", "--set", "age=7", "--because", "A typo.")
    said(yard, "quarantine", "readmit", "people", "--rule", "nobody broke this")
    said(yard, "quarantine", "drop", "people", "--batch", "1", "--because", "They are of a test.")
    dropped, back = catalog.find(Decision, "people")
    assert back.because == "1 of 1 rows are back, people is at version 1. A typo."
    assert json.loads(back.evidence)["set"] == ["age"]
    assert dropped.because == "3 rows of people dropped for good. They are of a test."
    assert [one.what for one in project.audit("people", limit=2, verify=True).entries] == ["drop", "readmit"]
    assert "read quarantine" in said(yard, "audit", "--what", "read")
    assert "drop" not in said(yard, "audit", "--who", "nobody")


def test_rows_are_listed_by_batch_and_a_page_at_a_time(yard):
    (yard / "raw" / "2.csv").write_text("id,mail,age\n6,a@b.c,-7\n")
    Project.load(yard).run(only="data")
    quarantine = Project.load(yard).quarantine
    assert quarantine.heap("people").batches == {2: 1, 1: 4}
    assert quarantine.heap("people", rule="at least").rows == 2
    assert [row.batch for row in quarantine.show("people", rule="at least")] == [2, 1]
    everything = [row.row for row in quarantine.show("people")]
    assert [row.row for row in quarantine.show("people", skip=2, limit=2)] == everything[2:4]
    assert [row.batch for row in quarantine.show("people", batch=2)] == [2]


def test_a_whole_rule_is_that_one_and_part_of_one_is_any_that_has_it():
    declared = Source(name="rows", reader=files("raw/*.csv"), key=("n",), contract=Contract({"n": Column("int")}))
    rules = [["n: a value"], ["n: a value that no other row has"], ["n: at least 0"]]
    found = pl.DataFrame({"_rules": rules, "_number": [1, 1, 1], "_name": ["a", "b", "c"]})
    assert chosen(declared, found, "n: a value", None, ())["_name"].to_list() == ["a"]
    assert chosen(declared, found, "a value", None, ())["_name"].to_list() == ["a", "b"]
    assert chosen(declared, found, "nothing", None, ()).is_empty()
