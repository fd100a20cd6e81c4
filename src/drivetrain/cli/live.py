"""Progress on a terminal: a line a task on stderr, with a bar where the total is known."""

from __future__ import annotations

from types import TracebackType

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from drivetrain.cli.door import err


class LiveProgress:
    """A :class:`drivetrain.core.progress.Progress` drawn by Rich; plain lines where stderr is no terminal."""

    def __init__(self) -> None:
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("[dim]{task.fields[note]}[/]"),
            TimeElapsedColumn(),
            console=err,
            disable=not err.is_terminal,
            refresh_per_second=4,  # by default ten: a drawing takes two milliseconds and more
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> LiveProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, task: str, total: float | None = None) -> None:
        """A task begins."""
        self._tasks[task] = self._bars.add_task(task, total=total, note="")

    def advance(self, task: str, amount: float = 1.0, note: str = "") -> None:
        """A task got further."""
        if task not in self._tasks:
            self.start(task)
        if note:
            self._bars.update(self._tasks[task], advance=amount, note=note)
        else:
            self._bars.update(self._tasks[task], advance=amount)

    def finish(self, task: str, note: str = "") -> None:
        """A task is over."""
        if task not in self._tasks:
            self.start(task)
        self._bars.update(self._tasks[task], total=1, completed=1, note=note)
        if not err.is_terminal:
            err.print(f"✓ {task}{f': {note}' if note else ''}", markup=False)
