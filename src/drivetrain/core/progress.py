"""Progress of long work, told to whoever watches."""

from __future__ import annotations

import sys
from typing import Protocol

from drivetrain.core import plugins


class Progress(Protocol):
    """Where long work reports how far it is; one is passed down from the door."""

    def start(self, task: str, total: float | None = None) -> None:
        """Work named ``task`` begins; ``total`` units if known."""
        ...

    def advance(self, task: str, amount: float = 1.0, note: str = "") -> None:
        """``amount`` more units are done; ``note`` replaces the words shown beside it."""
        ...

    def finish(self, task: str, note: str = "") -> None:
        """The work is over; ``note`` says what came of it."""
        ...


class Silent:
    """A progress nobody watches."""

    def start(self, task: str, total: float | None = None) -> None:
        """Says nothing."""

    def advance(self, task: str, amount: float = 1.0, note: str = "") -> None:
        """Says nothing."""

    def finish(self, task: str, note: str = "") -> None:
        """Says nothing."""


def watcher(progress: Progress | None) -> Progress:
    """Whoever watches: the one that is given, else the cell of a notebook that is running, else nobody."""
    if progress is not None:
        return progress
    if "ipykernel" not in sys.modules:
        return Silent()
    made: Progress = plugins.load("progress", "ipython")()
    return made
