"""The audit: every change and every read of personal data, in a chain that tells when somebody touched it."""

from __future__ import annotations

import json
import re
import sqlite3

import msgspec
import pytest
from tests.loop.shop import ORDER, command, copy_shop, serving

from drivetrain.core.records import Access, AuditEntry
from drivetrain.loop.project import Project


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def test_changes_are_told_of_as_they_were_made(shop):
    project = Project.load(shop)
    told = project.audit()
    done = [one.what for one in reversed(told.entries)]
    assert [one.number for one in told.entries] == list(range(told.total, 0, -1))
    assert done.index("table") < done.index("register") < done.index("promote")
    assert {one.about for one in told.entries if one.what == "run"} >= {"ingest:orders", "train:returned"}
    project.tokens.create("web", ["predict"])
    project.tokens.revoke("web")
    project.forget("customer", "c004", actor="dpo")
    newest = project.audit(limit=None).entries
    assert [(one.what, one.about) for one in newest if one.about == "web"] == [
        ("token revoke", "web"),
        ("token create", "web"),
    ]
    forgets = [one for one in newest if one.what == "forget"]
    assert [one.actor for one in forgets] == ["dpo", "dpo"]  # opened, then done
    assert not re.search(r"(?<![0-9a-f])c004(?![0-9a-f])", str(newest)), "but by chance within a digest"
    assert "@" in newest[0].user
    assert project.audit(verify=True).whole


def test_reads_of_personal_data_are_told_of_and_others_are_not(shop):
    project = Project.load(shop)
    project.training_set()
    [read] = project.store.catalog.find(Access)
    assert (read.what, read.about, read.rows) == ("training_set", "training/returned", 6000)
    assert read.columns == ("customer",)
    masked = [one.name for one in project.data("training/returned").columns if one.masked]
    assert masked == ["customer"], "what may not be read unseen is in no figure either"
    with serving(shop) as client:
        answer = client.predict("returned", [ORDER])
    project.trace(answer["request_id"])
    assert next(one.columns for one in project.store.catalog.find(Access)) == ("customer",)
    assert [one.what for one in project.audit(limit=1).entries] == ["read trace"]
    path = shop / "project.py"
    path.write_text(path.read_text().replace(', privacy="personal"', ""))
    before = len(project.store.catalog.find(Access))
    other = Project.load(shop)
    other.training_set()
    assert len(other.store.catalog.find(Access)) == before


def test_the_command_lists_checks_and_finds_what_was_cut_off(shop):
    shown = command(shop, "audit", "returned")
    assert "promote" in shown.stdout
    assert "ingest:orders" not in shown.stdout
    checked = json.loads(command(shop, "audit", "--verify", "--json", "--limit", "3").stdout)
    assert checked["verified"]
    assert checked["flaws"] == []
    assert len(checked["entries"]) == 3
    head = checked["head"]
    assert "follow one another" in command(shop, "audit", "--head", head).stdout
    database = sqlite3.connect(shop / ".drivetrain" / "catalog.db")
    database.execute(
        "DELETE FROM records WHERE kind = 'audit' AND key = (SELECT max(key) FROM records WHERE kind = 'audit')"
    )
    database.commit()
    database.close()
    assert command(shop, "audit", "--verify").returncode == 0  # whole as far as it goes
    cut = command(shop, "audit", "--head", head, check=False)
    assert cut.returncode == 1
    assert "cut off" in cut.stdout


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM records WHERE kind = 'audit' AND key = '000000000002'", "entry 2 is missing"),
        ("DELETE FROM records WHERE kind = 'decision'", "not in the catalog any more"),
        (
            "UPDATE records SET body = replace(body, 'promote', 'refuse!') WHERE kind = 'decision'",
            "is not what was committed",
        ),
        ("rename", "entry 3 was changed"),
        ("reseal", "entry 4 does not follow the one before"),
    ],
)
def test_what_somebody_did_to_it_is_named(shop, sql, said):
    database = sqlite3.connect(shop / ".drivetrain" / "catalog.db")
    if sql in {"rename", "reseal"}:
        (body,) = database.execute("SELECT body FROM records WHERE kind = 'audit' AND key = '000000000003'").fetchone()
        entry = msgspec.structs.replace(msgspec.msgpack.decode(body, type=AuditEntry), actor="somebody else")
        body = msgspec.msgpack.encode(entry.sealed() if sql == "reseal" else entry)
        database.execute("UPDATE records SET body = ? WHERE kind = 'audit' AND key = '000000000003'", (body,))
    else:
        database.execute(
            sql.replace(
                "replace(body, 'promote', 'refuse!')", "CAST(replace(CAST(body AS TEXT), 'promote', 'refuse!') AS BLOB)"
            )
        )
    database.commit()
    database.close()
    found = Project.load(shop).audit(verify=True)
    assert any(said in flaw.what for flaw in found.flaws), found.flaws
