"""The statements of a notebook or a script, with what could not be read of it said."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import NamedTuple

from drivetrain.core.errors import UsageError

LARGEST = 20 << 20
"""Bytes; what is longer is no program."""
_MAGIC = re.compile(r"^\s*(?:[%!?]|[\w.]+\?\??\s*$)")
_ASSIGNED = re.compile(r"^\s*[\w, ]+=\s*[%!]")
_WAIT = re.compile(r"^(\s*)(?:await\s+)")


class Program(NamedTuple):
    """What there is to read.

    Attributes:
        body: Statements in order.
        notes: What was left out, and why.
        text: All of it.
    """

    body: list[ast.stmt]
    notes: list[str]
    text: str


def read_program(path: Path) -> Program:
    """Reads a notebook (``.ipynb``) or a script.

    Raises:
        UsageError: It is no notebook, or no text.
    """
    try:
        data = path.read_bytes()[: LARGEST + 1]
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read as text", found=str(error)) from None
    if len(data) > LARGEST:
        raise UsageError(f"{path} is too long for a program", expected=f"at most {LARGEST:,} bytes")
    if path.suffix == ".ipynb":
        return _notebook(path, text)
    notes: list[str] = []
    return Program(_statements(text, "", notes), notes, text)


def _notebook(path: Path, text: str) -> Program:
    try:
        cells = json.loads(text)
        cells = cells.get("cells") or [cell for sheet in cells.get("worksheets", []) for cell in sheet["cells"]]
        sources = [
            (number, cell.get("source", cell.get("input", "")))
            for number, cell in enumerate(cells, 1)
            if cell.get("cell_type") == "code"
        ]
        parts = [(number, source if isinstance(source, str) else "".join(source)) for number, source in sources]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path} is no notebook", expected="JSON as Jupyter writes it, with cells") from None
    body: list[ast.stmt] = []
    notes: list[str] = []
    for number, source in parts:
        first = source.lstrip().partition("\n")[0]
        if first.startswith("%%") and not first.startswith(("%%time", "%%capture")):
            notes.append(f"Cell {number} is no Python ({first.split()[0]}) and was left out.")
            continue
        body += _statements(_plain(source), f"cell {number}, ", notes)
    return Program(body, notes, "\n".join(source for _, source in parts))


def _plain(source: str) -> str:
    """A cell without what only a notebook understands."""
    lines = source.split("\n")
    return "\n".join(
        re.match(r"\s*", line)[0] + "pass" if _MAGIC.match(line) or _ASSIGNED.match(line) else line  # type: ignore[index]
        for line in lines
    )


def _statements(source: str, place: str, notes: list[str]) -> list[ast.stmt]:
    """The statements of a text; where some of it is no Python, those of the rest."""
    try:
        return ast.parse(_WAIT.sub(r"\1", source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        notes.append(
            f"{place}line {line} is no Python ({getattr(error, 'msg', error)}); what surrounds it was left out."
        )
    found: list[ast.stmt] = []
    for block in _blocks(source):
        try:
            found += ast.parse(block).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # told above
    return found


def _blocks(source: str) -> list[str]:
    """A text, parted where a line begins at its left edge with what can begin a statement."""
    blocks: list[list[str]] = [[]]
    for line in source.split("\n"):
        if line[:1] not in {"", " ", "\t", ")", "]", "}", "#"} and not line.startswith(
            ("else", "elif", "except", "finally")
        ):
            blocks.append([])
        blocks[-1].append(line)
    return ["\n".join(block) for block in blocks if block]
