from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from tests.loop.shop import command

from drivetrain.cli.main import COMMANDS
from drivetrain.loop.project import Project


def drivetrain(*words, **more):
    return subprocess.run(
        [sys.executable, "-m", "drivetrain", *words], capture_output=True, text=True, check=False, **more
    )


def test_help_names_every_command():
    told = drivetrain("--help")
    assert told.returncode == 0
    assert all(f"  {name} " in told.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does_and_takes_json(name):
    told = drivetrain(name, "--help")
    assert told.returncode == 0
    assert "--json" in told.stdout
    assert name in {"init", "adopt"} or "--project" in told.stdout


def test_the_version():
    assert drivetrain("--version").stdout.strip()[0].isdigit()


def test_a_command_that_is_not_there():
    told = drivetrain("fly")
    assert told.returncode == 2
    assert "fly" in told.stderr


def test_init_makes_a_project_that_plans(tmp_path):
    folder = tmp_path / "shop"
    made = drivetrain("init", str(folder), "--json")
    assert {path.rsplit("/", 1)[1] for path in json.loads(made.stdout)["made"]} == {
        "project.py", "drivetrain.toml", ".gitignore", "orders.csv"
    }  # fmt: skip
    steps = json.loads(command(folder, "plan", "--json").stdout)
    model = ["training_set:returned", "train:returned", "judge:returned", "release:returned"]
    assert [step["name"] for step in steps] == ["ingest:orders", "online:history", *model]
    assert steps[0]["state"] == "run"
    assert steps[-1]["state"] == "depends"


def test_init_touches_no_project_that_is_there(tmp_path):
    (tmp_path / "project.py").write_text("mine")
    told = drivetrain("init", str(tmp_path))
    assert told.returncode == 2
    assert "holds a project already" in told.stderr
    assert (tmp_path / "project.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[serve]\nport = 'x'\n", "serve.port"),
        ("[serve]\nprot = 1\n", "prot"),
        ("[serve\n", "not TOML"),
    ],
)
def test_settings_that_can_not_be_used_are_named(tmp_path, toml, said):
    drivetrain("init", str(tmp_path))
    (tmp_path / "drivetrain.toml").write_text(toml)
    told = command(tmp_path, "plan", check=False)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_an_error_is_json_for_programs(tmp_path):
    told = command(tmp_path, "plan", "--json", check=False)
    assert told.returncode == 2
    assert json.loads(told.stdout)["error"]["kind"] == "ProjectError"


def test_a_port_in_use_is_said_before_anything_starts(made_shop):
    settings = Project.load(made_shop).settings.serve
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((settings.host, settings.port))
        taken.listen()
        told = command(made_shop, "serve", check=False)
    assert told.returncode in {1, 2}
    assert str(settings.port) in told.stderr
    assert "Traceback" not in told.stderr
