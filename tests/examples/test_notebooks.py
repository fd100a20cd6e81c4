"""The example notebooks run from the first cell to the last, and show what they show in the repository."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from drivetrain.testing.extra import need_extra

need_extra("IPython")
nbformat = need_extra("nbformat")
nbclient = need_extra("nbclient")

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["road", "look"])
def test_a_notebook_runs(tmp_path: Path, name: str) -> None:
    place = tmp_path / "notebooks"
    place.mkdir()
    (tmp_path / "flights").symlink_to(EXAMPLES / "flights")
    shutil.copy(EXAMPLES / "notebooks" / f"{name}.ipynb", place)
    kept = nbformat.read(EXAMPLES / "notebooks" / f"{name}.ipynb", 4)
    fresh = nbformat.read(place / f"{name}.ipynb", 4)
    nbclient.NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(place)}}).execute()
    assert [_nouns(cell) for cell in fresh.cells] == [_nouns(cell) for cell in kept.cells]
    assert any(_nouns(cell) for cell in fresh.cells)


def _nouns(cell: dict) -> list[str]:
    """Headings of the nouns that a cell shows."""
    shown = [output.get("data", {}).get("text/html", "") for output in cell.get("outputs", [])]
    return [heading for html in shown for heading in re.findall(r"<strong>(.*?)</strong>", html)]
