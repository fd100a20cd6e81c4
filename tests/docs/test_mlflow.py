"""What ``docs/mlflow.md`` tells people to type, typed: the project here, MLflow's client where it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.docs import executed
from tests.loop.shop import copy_shop

from web.mlflow.conftest import mlflow_python
from web.process import serving

__all__ = ["mlflow_python"]
_PEER = "http://127.0.0.1:5000"
PAGE = Path(__file__).parents[2] / "docs" / "mlflow.md"
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.services
def test_the_page_does_what_it_says(made_shop, mlflow_python, tmp_path, monkeypatch):
    folder = copy_shop(made_shop, tmp_path / "shop")
    monkeypatch.setenv("YARD", str(folder))
    ran = 0
    with serving("web.serving:yard") as (address, _), elsewhere(tmp_path / "peer", monkeypatch) as peer:
        for kind, about, text in _BLOCK.findall(PAGE.read_text("utf-8")):
            if "file=" in about:
                (folder / about.partition("file=")[2].strip()).write_text(text)
            elif kind == "console":
                for part in text.removeprefix("$ ").split("\n$ "):
                    command, *wanted = part.strip().splitlines()
                    printed = typed(command.replace(_PEER, peer), folder, address, mlflow_python)
                    for line in wanted:
                        assert executed.squeezed(line) in executed.squeezed(printed), (command, line, printed)
                    ran += 1
    assert ran >= 12


@contextmanager
def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Another tracking server, of another project."""
    folder.mkdir()
    (folder / "project.py").write_text('import drivetrain as dt\n\nproject = dt.Project("peer")\n')
    monkeypatch.setenv("YARD", str(folder))
    with serving("web.serving:yard") as (address, _):
        yield address.rstrip("/")


def typed(command: str, folder: Path, address: str, mlflow: str) -> str:
    words = command.split()
    if words[0] == "drivetrain":
        return executed.run(command, folder)
    client = words[1] in {"train.py", "load.py"}
    environment = {name: value for name, value in os.environ.items() if not (client and name == "PYTHONPATH")}
    said = subprocess.run(
        [mlflow if client else sys.executable, "-W", "ignore", words[1]],
        cwd=folder,
        env=environment | {"MLFLOW_TRACKING_URI": address, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout
