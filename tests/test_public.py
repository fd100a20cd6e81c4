"""The package's face: what it exports, and what importing it costs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import drivetrain
from drivetrain.cli.main import COMMANDS

ROOT = Path(drivetrain.__file__).parent
REPOSITORY = Path(__file__).parents[1]


def test_importing_it_loads_next_to_nothing():
    code = "import sys, drivetrain; print(len(sys.modules)); print(' '.join(sys.modules))"
    count, names = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert int(count) <= 120
    assert not {"pandas", "sklearn", "torch", "fastapi", "polars", "sqlalchemy", "lightgbm"} & set(names.split())


@pytest.mark.parametrize("door", ["drivetrain.loop.project", "drivetrain.loop.serving"])
def test_a_project_needs_no_training_library_to_be_read_or_served(door):
    code = f"import sys, {door}; print(' '.join(sys.modules))"
    names = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {
        "pandas",
        "sklearn",
        "torch",
        "fastapi",
        "lightgbm",
        "optuna",
        "onnxruntime",
        "alembic",
        "cryptography",
        "deltalake",
    }
    assert not heavy & set(names)


def test_every_public_name_is_there_and_typed():
    for name in drivetrain.__all__:
        assert getattr(drivetrain, name) is not None
    stub = ast.parse((ROOT / "__init__.pyi").read_text())
    typed = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed | {"__version__"} == set(drivetrain.__all__)
    assert dir(drivetrain) == sorted(drivetrain.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = drivetrain.nothing


def test_every_name_of_the_design_is_public():
    nouns = {"Project", "Contract", "Entity", "FeatureView", "RequestFeatures", "Gate", "LightGBM", "TimeSplit", "Tune"}
    functions = {"files", "sql", "label", "last", "count", "sum", "mean", "min", "max", "std", "share"}
    assert (nouns | functions | {"Retrain"}) <= set(drivetrain.__all__)


def test_no_file_is_longer_than_five_hundred_lines():
    long = [path for path in ROOT.rglob("*.py") if len(path.read_text("utf-8").splitlines()) > 500]
    assert long == []


def test_the_readme_names_commands_that_exist():
    named = set(re.findall(r"`drivetrain ([a-z]+)", (REPOSITORY / "README.md").read_text("utf-8")))
    assert named <= set(COMMANDS)
    assert "init" in named
