"""Progress under a cell: drawn once, updated in place, and what it says at the end."""

from __future__ import annotations

import re
import sys
from html import unescape
from typing import Any

import pytest

from drivetrain.core.progress import Silent, watcher
from drivetrain.testing.extra import need_extra

need_extra("IPython")

from drivetrain.adapters.ipython import CellProgress  # noqa: E402


class Place:
    """Where IPython would draw."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def display(self, html: Any, *, display_id: bool) -> Place:
        assert display_id
        self.drawn.append(html.data)
        return self

    def update(self, html: Any) -> None:
        self.drawn.append(html.data)

    @property
    def words(self) -> str:
        content = re.sub(r"<style>.*?</style>", "", self.drawn[-1], flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", content)).split())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place()
    monkeypatch.setattr("drivetrain.adapters.ipython.cell.display", made.display)
    return made


def test_a_task_has_a_line_from_its_beginning_to_its_end(place: Place) -> None:
    shown = CellProgress()
    shown.start("fit <late>", 10)
    assert '<progress value="0" max="10">' in place.drawn[-1]
    assert "fit &lt;late&gt;" in place.drawn[-1]
    shown.advance("fit <late>", 4, "trial 4")
    shown.start("evaluate")
    assert '<progress value="4" max="10">' in place.drawn[-1]
    shown.finish("fit <late>", "150 trees")
    assert re.fullmatch(r"fit <late> ✓ \d\.\d s 150 trees evaluate …", place.words)


def test_many_steps_are_not_as_many_drawings(place: Place) -> None:
    shown = CellProgress()
    for _ in range(10_000):
        shown.advance("rows")
    assert len(place.drawn) < 100
    shown.finish("rows")
    assert "✓" in place.words


def test_a_kernel_watches_where_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Silent()
    assert watcher(given) is given
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert isinstance(watcher(None), Silent)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert isinstance(watcher(None), CellProgress)
