"""What a benchmark says of its budgets, a line each; ``features.py`` and ``serving.py`` print them in one table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Line:
    """One line of the table.

    Attributes:
        work: What was done, and how much of it.
        ours: What it cost us.
        budget: What it may cost.
        met: Whether it is within its budget; none where that can't be judged here.
        peers: What others need, each with its ratio to ours.
    """

    work: str
    ours: str
    budget: str
    met: bool | None
    peers: Sequence[str] = ()


def asks(parser: argparse.ArgumentParser) -> None:
    """Adds the option that says where a benchmark's lines go."""
    parser.add_argument("--summary", type=Path, help="file that lines of the summary are added to")


def repeats(parser: argparse.ArgumentParser) -> None:
    """Adds the option that says how often work is done."""
    parser.add_argument("--repeat", type=int, default=3, help="rounds, of which the least counts (default 3)")


def add(path: Path | None, *lines: Line) -> None:
    """Adds lines to a file, if there is to be one."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(line)) + "\n" for line in lines)


def read(path: Path) -> list[Line]:
    """The lines of a file."""
    if not path.exists():
        return []
    return [Line(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def markdown(lines: Sequence[Line]) -> str:
    """The table."""
    head = ["| work | ours | budget | met? | peers (× ours) |", "|---|---|---|---|---|"]
    words = {True: "yes", False: "**no**", None: "not judged"}
    rows = [
        f"| {line.work} | {line.ours} | {line.budget} | {words[line.met]} | {'; '.join(line.peers)} |" for line in lines
    ]
    return "\n".join([*head, *rows])
