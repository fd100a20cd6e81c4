from __future__ import annotations

import json
import stat
import subprocess
import sys
import tomllib

import pytest
from tests.loop.shop import copy_shop


def key(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "drivetrain", "key", *words, "--project", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def test_a_key_is_made_named_in_the_settings_and_signs(shop, tmp_path):
    made = key(shop, "create", str(tmp_path / "keys"))
    settings = tomllib.loads(made.stdout)["registry"]
    assert list(settings) == ["signing_key", "verify_key"]
    assert stat.S_IMODE((tmp_path / "keys" / "signing.pem").stat().st_mode) == 0o600
    with (shop / "drivetrain.toml").open("a") as file:
        file.write(made.stdout)
    signed = key(shop, "sign", "1", "--because", "trained before there was a key")
    [line] = signed.stdout.splitlines()
    assert line.startswith("returned v1 is signed with key ")
    assert line.split()[-1].strip(".") in made.stderr
    assert json.loads(key(shop, "sign", "1", "--because", "again", "--json").stdout)["version"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["create", ".drivetrain/keys"], 2, "the project's state"),
        (["create"], 2, "FOLDER"),
        (["sign", "1", "--because", "x"], 2, "registry.signing_key is empty"),
        (["sign", "1"], 2, "--because"),
    ],
)
def test_what_can_not_be_done_is_said(shop, monkeypatch, words, code, says):
    monkeypatch.chdir(shop)
    told = key(shop, *words)
    assert told.returncode == code
    assert says in told.stderr
    assert "Traceback" not in told.stderr
