"""Progress under a notebook's cell: a line a task, with a bar where the total is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html import escape
from typing import Any

from IPython.display import HTML, display

from drivetrain.core.notebook import framed

_PAUSE = 0.2
"""Seconds between two drawings; the last of a task is always drawn."""


@dataclass
class _Task:
    total: float | None
    done: float = 0.0
    note: str = ""
    began: float = field(default_factory=time.monotonic)
    seconds: float | None = None


class CellProgress:
    """A :class:`drivetrain.core.progress.Progress` that draws itself under the cell that began it."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._place: Any = None
        self._drawn = 0.0

    def start(self, task: str, total: float | None = None) -> None:
        """A task begins."""
        self._tasks[task] = _Task(total)
        self._draw()

    def advance(self, task: str, amount: float = 1.0, note: str = "") -> None:
        """A task got further."""
        found = self._tasks.setdefault(task, _Task(None))
        found.done += amount
        found.note = note or found.note
        if time.monotonic() - self._drawn >= _PAUSE:
            self._draw()

    def finish(self, task: str, note: str = "") -> None:
        """A task is over."""
        found = self._tasks.setdefault(task, _Task(None))
        found.note = note
        found.seconds = time.monotonic() - found.began
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        lines = "".join(_line(name, task) for name, task in self._tasks.items())
        drawn = HTML(framed("", "", f"<table><tbody>{lines}</tbody></table>"))  # type: ignore[no-untyped-call]
        if self._place is None:
            self._place = display(drawn, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._place.update(drawn)


def _line(name: str, task: _Task) -> str:
    if task.seconds is not None:
        state = f"✓ {task.seconds:,.1f} s"
    elif task.total:
        state = f'<progress value="{task.done:g}" max="{task.total:g}"></progress>'
    else:
        state = "…"
    return f"<tr><td>{escape(name)}</td><td>{state}</td><td><small>{escape(task.note)}</small></td></tr>"
