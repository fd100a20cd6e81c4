from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.loop.shop import copy_shop


def token(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "drivetrain", "token", *words, "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def test_a_token_is_shown_once_and_alone_on_standard_output(shop):
    made = token(shop, "create", "web", "--scope", "predict", "--scope", "read", "--expires", "90d")
    [text] = made.stdout.splitlines()
    assert text.startswith("dt_")
    assert "kept nowhere" in made.stderr
    listed = token(shop, "list").stdout
    assert "web" in listed
    assert "for predict, read" in listed
    assert text not in listed
    told = json.loads(token(shop, "list", "--json").stdout)
    assert [one["name"] for one in told] == ["web"]
    assert not {"token", "salt", "digest"} & set(told[0])
    assert "is revoked" in token(shop, "revoke", "web").stdout
    assert json.loads(token(shop, "revoke", "web", "--json").stdout)["state"] == "revoked"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["create", "web", "--scope", "all"], 2, "no scope"),
        (["create", "web"], 2, "--scope"),
        (["revoke", "web"], 2, "no token"),
        (["melt"], 2, "melt"),
    ],
)
def test_what_can_not_be_done_is_said(shop, words, code, says):
    told = token(shop, *words)
    assert told.returncode == code
    assert says in told.stderr
    assert "Traceback" not in told.stderr


def test_a_shop_without_tokens_says_how_to_make_one(shop):
    assert "drivetrain token create" in token(shop, "list").stdout
