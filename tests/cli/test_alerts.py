"""Alerts on a terminal, as a person types."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys

import pytest
import typer
from tests.loop.alerting.trains import drift, keep, make, opened
from typer.testing import CliRunner

from drivetrain.cli.sparkline import sparkline


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("cli") / "trains")
    project = opened(made)
    for day in range(40):
        keep(project, day, *([drift()] if day >= 38 else []))
    project.store.close()
    return made


def typed(folder, name, *words, code=0):
    """What a command prints, run in this process."""
    app = typer.Typer()
    app.command()(importlib.import_module(f"drivetrain.cli.commands.{name}").command)
    done = CliRunner().invoke(app, ["--project", str(folder), *words])
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_status_draws_a_course_that_fits_and_no_colour_where_nobody_looks(folder):
    text = subprocess.run(
        [sys.executable, "-m", "drivetrain", "status", "--project", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "44"},
    ).stdout
    (drawn,) = [line for line in text.splitlines() if line.startswith("  traffic")]
    assert len(drawn) <= 44
    assert "█" in drawn
    assert "\x1b" not in text
    assert "Do: https://run.example/drift" in text
    told = json.loads(typed(folder, "status", "--json"))
    assert {"project", "objective", "tables", "endpoints", "alerts_open", "alerts_total", "decisions"} <= set(told)
    assert len(told["endpoints"][0]["windows"]) == 40
    assert told["alerts"][0]["commands"][0].startswith("drivetrain report late --since")


def test_a_silence_an_alert_and_a_report(folder, tmp_path):
    assert "Nothing is silenced" in typed(folder, "silence")
    quiet = ("drift", "--for", "2h", "--because", "a new schema", "--endpoint", "late")
    assert "Nobody is told of drift on late until" in typed(folder, "silence", *quiet)
    assert "a new schema" in typed(folder, "silence")
    assert "silenced until" in typed(folder, "status")
    assert "is over" in typed(folder, "silence", "drift", "--end")
    assert "--for 2h" in typed(folder, "silence", "drift", "--because", "x", code=2)
    assert "seen by ines" in typed(folder, "acknowledge", "drift", "--actor", "ines")
    assert "for a reason" in typed(folder, "resolve", "drift", code=2)
    assert "ended, noise" in typed(folder, "resolve", "drift", "--because", "a known change", "--noise")
    page = tmp_path / "r.html"
    assert "written to" in typed(folder, "report", "late", "-o", str(page))
    assert page.stat().st_size > 5000


def test_a_line_of_bars_is_as_high_as_its_values():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([7.0, 8.0], 8, zero=True) == "██"
    assert sparkline([None, float("nan"), 3.0], 3) == "··▄"
    assert sparkline([1.0], 0) == ""
    assert sparkline([None] * 3, 2) == "··"
