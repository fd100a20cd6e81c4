from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.loop.shop import copy_shop


def command(folder, *words, check=True):
    asked = [sys.executable, "-m", "drivetrain", *words, "--project", str(folder)]
    return subprocess.run(asked, check=check, capture_output=True, text=True)


@pytest.fixture(scope="module")
def shop(made_shop, tmp_path_factory):
    folder = copy_shop(made_shop, tmp_path_factory.mktemp("privacy") / "shop")
    (folder / "people.csv").write_text(
        "id,contact,note\n" + "".join(f"{n},user{n}@example.org,paid by 4111 1111 1111 1111\n" for n in range(9))
    )
    return folder


def test_a_file_is_looked_at_and_nothing_of_it_is_shown(shop):
    shown = command(shop, "privacy", "scan", "people.csv").stdout
    assert "contact: email" in shown
    assert "note: card" in shown
    assert 'privacy="sensitive"' in shown
    assert "user1" not in shown
    assert "4111" not in shown
    told = json.loads(command(shop, "privacy", "scan", "people.csv", "--json").stdout)
    assert [(one["column"], one["kind"], one["share"]) for one in told["columns"]] == [
        ("contact", "email", 1.0),
        ("note", "card", 1.0),
    ]


def test_a_source_is_looked_at_in_its_table(shop):
    assert "No column of orders looks personal" in command(shop, "privacy", "scan", "orders").stdout


def test_what_is_not_there(shop):
    asked = command(shop, "privacy", "scan", "nothing.csv", check=False)
    assert asked.returncode == 2
    assert "there is no source and no file 'nothing.csv'; expected a file, or one of orders" in asked.stderr
