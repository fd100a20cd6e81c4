"""Runs a page of the docs: writes its files, runs its commands, and looks for what it says they print.

A fenced block with ``file=NAME`` is a file, written where it stands. In a block of ``console`` each ``$`` line is a
command, and every line after it must be found in what it printed, blanks aside. ``# exits N`` is the exit code, 0 by
default. A file that a command needs and that stands further down is written first.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page: str, folder: Path) -> int:
    """Runs a page in a folder; how many commands there were."""
    blocks = _BLOCK.findall((REPOSITORY / "docs" / page).read_text("utf-8"))
    files = [(name, text) for _, about, text in blocks if (name := about.partition("file=")[2].strip())]
    for name, text in reversed(files):
        write(folder / name, text)
    ran = 0
    for kind, about, text in blocks:
        if "file=" in about:
            write(folder / about.partition("file=")[2].strip(), text)
        elif kind == "console":
            for part in text.removeprefix("$ ").split("\n$ "):
                command, *wanted = part.strip().splitlines()
                printed = run(command, folder)
                for line in wanted:
                    assert squeezed(line) in squeezed(printed), (command, line, printed)
                ran += 1
    return ran


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def run(command: str, folder: Path) -> str:
    words, _, comment = command.partition("#")
    program, *arguments = shlex.split(words)
    assert program == "drivetrain"
    done = subprocess.run(
        [sys.executable, "-m", "drivetrain", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    code = int(comment.removeprefix(" exits ")) if comment else 0
    assert done.returncode == code, (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


def printed_by(script: str, folder: Path) -> str:
    """What Python prints that is run in a folder."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True, timeout=300
    ).stdout


def squeezed(text: str) -> str:
    return " ".join(text.split())
