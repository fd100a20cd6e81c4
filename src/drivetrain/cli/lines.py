"""Lines that fit the terminal, with their indentation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from drivetrain.cli.door import out

WIDEST = 120


def width() -> int:
    """How many columns there are to write in."""
    return min(out.width, WIDEST)


def wrapped(text: str, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
    """Prints text as it is, in as many lines as it needs.

    Args:
        text: What to print; no markup.
        indent: Columns to leave free before every line.
        hang: Columns more to leave free before every line but the first.
        style: Style of all of it.
    """
    lines = textwrap.wrap(
        text,
        width() - indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines:
        out.print(" " * indent + line, style=style or None, markup=False)


def listed(facts: Sequence[str], *, indent: int = 0) -> None:
    """Prints facts with dots between them, none broken in two where it fits a line."""
    lines = [facts[0]]
    for fact in facts[1:]:
        if indent + len(lines[-1]) + 3 + len(fact) <= width():
            lines[-1] += f" · {fact}"
        else:
            lines.append(fact)
    for line in lines:
        wrapped(line, indent=indent)
