"""A project's file, and the modules beside it."""

from __future__ import annotations

import shutil
import sys

import pytest

from drivetrain.loop.loading import load_file
from drivetrain.loop.project import Project

PROJECT = """
import beside_it
from parts_of_it import one

import drivetrain as dt

project = dt.Project("p", objective=f"{beside_it.HERE} {one.HERE}")
"""
HERE = "from pathlib import Path\n\nHERE = Path(__file__).parent.name\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "first"
    (made / "parts_of_it").mkdir(parents=True)
    (made / "project.py").write_text(PROJECT)
    (made / "beside_it.py").write_text(HERE)
    (made / "parts_of_it" / "__init__.py").touch()
    (made / "parts_of_it" / "one.py").write_text("from pathlib import Path\n\nHERE = Path(__file__).parents[1].name\n")
    yield made
    for name in ("project", "beside_it", "parts_of_it", "parts_of_it.one"):
        sys.modules.pop(name, None)


def test_a_copy_imports_the_modules_beside_itself(folder):
    assert load_file(folder / "project.py", Project).objective == "first first"
    copy = shutil.copytree(folder, folder.parent / "second")
    assert load_file(copy / "project.py", Project).objective == "second second"
    assert load_file(folder / "project.py", Project).objective == "first first"
    moved = copy.rename(folder.parent / "third")
    assert load_file(moved / "project.py", Project).objective == "third third"


def test_modules_of_nobodys_folder_stay_as_they_are(folder):
    sys.modules["beside_it"] = pytest
    assert "beside_it" in sys.modules
    with pytest.raises(Exception, match="has no attribute 'HERE'"):
        load_file(folder / "project.py", Project)
    assert sys.modules["beside_it"] is pytest
