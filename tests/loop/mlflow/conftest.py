"""Peers that versions go to and come from: our own control server, and MLflow's where it is installed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from web.mlflow.conftest import mlflow_python  # noqa: F401 - a fixture
from web.process import free_port, serving

_VARIABLE = "DRIVETRAIN_TESTING_MLFLOW_SERVER"
_SERVER = Path(__file__).parents[3] / ".mlflowserver" / "bin" / "python"
_PROJECT = """
import drivetrain as dt

project = dt.Project("desk", objective="Keep what others train", metric="average_precision")
"""


@pytest.fixture(scope="session", params=["ours", pytest.param("mlflow", marks=pytest.mark.slow)])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A tracking server's address."""
    if request.param == "ours":
        yield request.getfixturevalue("desk")
        return
    with _mlflow(tmp_path_factory.mktemp("peer")) as address:
        yield address


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our own control server alone."""
    with _ours(tmp_path_factory.mktemp("desk")) as address:
        yield address


@contextmanager
def _ours(folder: Path) -> Iterator[str]:
    (folder / "project.py").write_text(_PROJECT)
    before = os.environ.get("YARD")
    os.environ["YARD"] = str(folder)
    try:
        with serving("web.serving:yard") as (address, _):
            yield address.rstrip("/")
    finally:
        os.environ.pop("YARD") if before is None else os.environ.__setitem__("YARD", before)


@contextmanager
def _mlflow(folder: Path) -> Iterator[str]:
    """The real server, of an environment of its own: some 860 MB, which not every machine that tests has."""
    python = os.environ.get(_VARIABLE) or (str(_SERVER) if _SERVER.exists() else "")
    if not python:
        pytest.skip(
            f"no environment has MLflow's server: run make .mlflowserver/ready, or name its python: {_VARIABLE}"
        )
    address = f"http://127.0.0.1:{free_port()}"
    options = ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--artifacts-destination", str(folder / "files")]
    server = subprocess.Popen(
        [python, "-m", "mlflow", "server", *options, "--port", address.rpartition(":")[2], "--workers", "1"],
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            assert server.poll() is None, "MLflow's server ended before it listened"
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # it keeps nothing that anybody reads again
        server.wait(30)
