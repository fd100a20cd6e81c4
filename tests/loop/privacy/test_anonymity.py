"""A table must hide each person among others: declared, held to at every delivery, and asked by a command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from drivetrain.core.errors import ContractBreach, UsageError
from drivetrain.core.records import Access, TableVersion
from drivetrain.loop.project import Project

PROJECT = """
import drivetrain as dt
project = dt.Project("clinic", objective="-", metric="roc_auc")
project.source(
    "visits", dt.files("raw/*.csv"), key="id",
    contract=dt.Contract(
        {
            "id": dt.Column("int"),
            "zip": dt.Column("string", privacy="personal", treat=dt.truncate(2)),
            "age": dt.Column("int", privacy="personal", treat=dt.generalise(bins=[30, 60])),
            "ill": dt.Column("string", privacy="sensitive"),
        },
        anonymous=dt.KAnonymity(["zip", "age"], k=3, sensitive="ill", diversity=2),
    ),
)
"""


@pytest.fixture
def clinic(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "project.py").write_text(PROJECT)
    deliver(tmp_path, "1,10115,20,flu", "2,10117,25,gout", "3,10999,29,flu")
    return tmp_path


def deliver(folder, *lines):
    number = len(list((folder / "raw").glob("*.csv")))
    (folder / "raw" / f"{number}.csv").write_text("\n".join(["id,zip,age,ill", *lines]) + "\n")


def test_what_is_kept_is_judged_with_what_was_there(clinic):
    project = Project.load(clinic)
    project.run(only="data")
    deliver(clinic, "4,10555,22,flu")  # alone in its file, and one of four in the table
    project.run(only="data")
    told = project.privacy.anonymity("visits")
    assert (told.holds, told.found.k, told.found.diversity) == (True, 4, 2)
    [read] = project.store.catalog.find(Access, "visits")
    assert (read.what, read.columns, read.rows) == ("privacy anonymity", ("age", "ill", "zip"), 4)
    deliver(clinic, "5,80331,22,flu", "6,80333,24,flu")
    with pytest.raises(ContractBreach, match=r"say the same in zip, age: found 2 of 6 rows in smaller groups"):
        project.run(only="data")
    assert project.store.tables.read("visits").height == 4
    (clinic / "raw" / "2.csv").write_text("id,zip,age,ill\n5,80331,22,flu\n6,80333,24,flu\n7,80000,1,flu\n")
    with pytest.raises(ContractBreach, match="groups with fewer values of ill, the fewest 1"):
        project.run(only="data")
    (clinic / "raw" / "2.csv").write_text("id,zip,age,ill\n5,80331,22,flu\n6,80333,24,flu\n7,80000,1,gout\n")
    project.run(only="data")
    assert project.store.tables.read("visits").height == 7


def held(folder, text):
    (folder / "raw").mkdir(exist_ok=True)
    number = len(list((folder / "raw").glob("*.csv")))
    (folder / "raw" / f"{number}.csv").write_text(text)


PIECES = """
import drivetrain as dt
project = dt.Project("clinic", objective="-", metric="roc_auc")
project.source(
    "visits", dt.files("raw/*.csv", budget_mib=0.01), key="id", deleted="gone",
    contract=dt.Contract(
        {
            "id": dt.Column("int"), "zip": dt.Column("string"), "n": dt.Column("int", high=9),
            "gone": dt.Column("bool"),
        },
        anonymous=dt.KAnonymity(["zip"], k=2),
    ),
)
"""


@pytest.fixture
def pieces(tmp_path):
    (tmp_path / "project.py").write_text(PIECES)
    return tmp_path


def zips(project):
    rows = project.store.tables.read("visits")
    return dict(rows.group_by("zip").len().iter_rows())


def test_no_piece_of_a_delivery_comes_in_that_singles_somebody_out(pieces):
    lines = [f"{at},a,1," for at in range(3000)]
    lines[1500] = "1500,alone,1,"
    held(pieces, "\n".join(["id,zip,n,gone", *lines]) + "\n")
    project = Project.load(pieces)
    with pytest.raises(ContractBreach, match="pieces of the delivery before it stand"):
        project.run(only="data")
    assert set(zips(project)) == {"a"}
    assert 0 < zips(project)["a"] <= 1500
    assert project.privacy.anonymity("visits").holds


def test_rows_from_quarantine_are_judged_too(pieces):
    held(pieces, "id,zip,n,gone\n1,a,1,\n2,a,1,\n3,b,99,\n4,c,99,\n5,c,99,\n")
    project = Project.load(pieces)
    project.run(only="data")
    with pytest.raises(ContractBreach, match="1 of 5 rows in smaller groups"):
        project.quarantine.readmit("visits", mend={"n": "1"})
    assert zips(project) == {"a": 2}


def test_a_deletion_is_told_of_and_not_held_up(pieces):
    held(pieces, "id,zip,n,gone\n1,a,1,\n2,a,1,\n3,b,1,\n4,b,1,\n5,b,1,\n")
    project = Project.load(pieces)
    project.run(only="data")
    held(pieces, "id,zip,n,gone\n2,a,1,true\n6,b,1,\n")
    project.run(only="data")
    assert zips(project) == {"a": 1, "b": 4}
    version = project.store.tables.version("visits")
    reasons = project.store.catalog.get(TableVersion, f"visits@{version}").reasons
    assert reasons["rows that say the same in zip: too few, as others were deleted"] == 1
    held(pieces, "id,zip,n,gone\n3,b,1,true\n")
    project.run(only="data")
    assert zips(project) == {"a": 1, "b": 3}
    held(pieces, "id,zip,n,gone\n4,b,1,true\n7,b,1,\n")
    with pytest.raises(ContractBreach, match="1 of 4 rows in smaller groups"):
        project.run(only="data")


def test_a_delivery_without_rows_after_others(pieces):
    held(pieces, "id,zip,n,gone\n1,a,1,\n2,a,1,\n")
    held(pieces, "id,zip,n,gone\n")
    project = Project.load(pieces)
    project.run(only="data")
    held(pieces, "id,zip,n,gone\n")
    project.run(only="data")
    assert zips(project) == {"a": 2}


def test_the_command_says_it_and_exits(clinic):
    Project.load(clinic).run(only="data")
    words = [sys.executable, "-m", "drivetrain", "privacy", "anonymity", "visits", "--project", str(clinic)]
    held = subprocess.run([*words, "--json"], check=True, capture_output=True)
    told = json.loads(held.stdout)
    assert (told["holds"], told["k"], told["found"]["k"]) == (True, 3, 3)
    broken = subprocess.run([*words, "--by", "zip,age", "--k", "4"], check=False, capture_output=True, text=True)
    assert broken.returncode == 1
    assert "3 rows are in groups of fewer than 4." in broken.stdout
    with pytest.raises(UsageError, match="no column 'shoe'"):
        Project.load(clinic).privacy.anonymity("visits", ["shoe"])


def test_a_file_is_checked_too(clinic):
    deliver(clinic, "8,50667,70,flu")
    found = Project.load(clinic).contracts.check(clinic / "raw" / "1.csv", contract="visits")
    assert any("say the same in zip, age" in text for one in found for text in one.failing)
