"""MLflow's own client, unmodified, against a server in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivetrain.core.records import Run
from drivetrain.loop.project import Project
from drivetrain.registry.lineage import upward
from drivetrain.registry.tracking import experiments, runs
from web.mlflow.conftest import run, start
from web.process import serving

pytestmark = pytest.mark.services
_PROJECT = """
import drivetrain as dt

project = dt.Project("desk", objective="Keep what others train", metric="average_precision")
"""


@contextmanager
def desk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, object]]:
    """A project of its own, served."""
    folder.mkdir(exist_ok=True)
    (folder / "project.py").write_text(_PROJECT)
    monkeypatch.setenv("YARD", str(folder))
    with serving("web.serving:yard") as (address, process):
        yield address, process


def test_experiments_runs_files_and_searches(mlflow_python, tmp_path, monkeypatch):
    with desk(tmp_path / "desk", monkeypatch) as (address, _):
        assert "checked 85" in run(mlflow_python, "tracks", address)
    project = Project.load(tmp_path / "desk")
    [one] = project.tracking.runs("Fraud / first try", filter="tags.`a b` = 'x%y'")
    assert (one.status, one.parameters["depth"], one.metrics["auc"]) == ("done", "3", 0.9)
    ended = project.store.catalog.get(Run, one.run_id)
    assert ended.parameters == {"depth": "3", "rate": "0.1", "name": "ß / é"}
    assert ended.metrics["loss"] == 0.5
    assert [step.link.role for step in upward(project.store.catalog, ended.ref)] == ["experiment"]


def test_models_are_logged_registered_and_loaded(mlflow_python, tmp_path, monkeypatch):
    with desk(tmp_path / "desk", monkeypatch) as (address, _):
        printed = run(mlflow_python, "learns", address, "sklearn", "lightgbm", "xgboost").splitlines()
    said = {line.partition(" ")[0]: line.partition(" ")[2] for line in printed}
    assert "it is a pickle, and opening one can run anything" in said["sklearn"]
    assert said["lightgbm"].startswith("The lightgbm engine could serve it")
    assert said["xgboost"].startswith("The xgboost engine could serve it")
    assert said["by-hand"].startswith("The sklearn engine could serve it")
    assert printed[-1] == "all"
    found = {one.model: one for one in Project.load(tmp_path / "desk").tracking.versions()}
    assert (found["auto-lightgbm"].file, found["auto-lightgbm"].columns) == ("model.lgb", ("a", "b", "c", "d"))


def test_two_clients_at_once_lose_nothing_and_a_killed_server_kept_what_it_acknowledged(tmp_path, monkeypatch):
    folder = tmp_path / "desk"
    with desk(folder, monkeypatch) as (address, process):
        run_id = runs.create(Project.load(folder).store, experiments.DEFAULT).run.run_id
        clients = {name: start(sys.executable, "logs", address, run_id, name, "100000") for name in ("1", "2")}
        acknowledged = {name: [client.stdout.readline() for _ in range(40)] for name, client in clients.items()}
        os.kill(process.pid, signal.SIGKILL)
        for name, client in clients.items():
            rest, _ = client.communicate(timeout=60)
            acknowledged[name] += rest.splitlines()
            assert client.returncode != 0
    log = Project.load(folder).store.run_log
    points = {(point.at // 1000, point.step) for point in log.history(run_id, "shared")}
    parameters = log.parameters([run_id])[run_id]
    for name, lines in acknowledged.items():
        assert len(lines) >= 40
        for step in (int(line) for line in lines):
            assert (int(name), step) in points
            assert parameters[f"{name}-{step}"] == str(step)
    with desk(folder, monkeypatch) as (address, _):
        more = [start(sys.executable, "logs", address, run_id, name, "30") for name in ("3", "4")]
        assert [(client.communicate(timeout=60), client.returncode)[1] for client in more] == [0, 0]
    points = {(point.at // 1000, point.step) for point in log.history(run_id, "shared")}
    assert {(name, step) for name in (3, 4) for step in range(30)} <= points
