"""The kinds of damage as a page of the docs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from drivetrain.testing.damage import MODULES, kinds
from drivetrain.testing.damage.kind import Caught, Kind

_TITLES = {
    "types": "Types",
    "encodings": "Encodings",
    "rows": "Rows",
    "columns": "Columns",
    "time": "Time",
    "meaning": "Meaning",
    "files": "Files",
}
_HEAD = """# Damage, and what becomes of it

{count} kinds of damage, each planted from a seed into a delivery of real flights or weather, after seventeen good
weeks. The contract is what [`drivetrain contract infer`](data.md#draft-a-contract) drafted from those weeks,
unchanged. Of each kind a test holds what is said here; that nothing ends in a traceback; that every row is kept, set
aside or counted; that a refused delivery leaves the table as it was, and that the next good one is taken in. `contract
check` says of the file what ingestion would do, and ends with 1 where that is to refuse it or to set rows aside.

| what becomes of the delivery | kinds |
|---|---|
{counts}

This page is written by `python -m drivetrain.testing.damage`.
"""
_WORDS: dict[Caught, str] = {
    "refused": "**refused** with a sentence; nothing of it is taken in",
    "set aside": "rows **set aside** with their reasons; the others are taken in",
    "counted": "taken in, and **counted** with the table's version",
    "undone": "**undone**: read as it was meant",
    "nothing": "**nothing**: a contract can't see it; the table below says why",
}


def page() -> str:
    """The page, in Markdown."""
    known = kinds()
    counted = Counter(kind.caught for kind in known.values())
    counts = "\n".join(f"| {words} | {counted[word]} |" for word, words in _WORDS.items())
    parts = [_HEAD.format(count=len(known), counts=counts)]
    for module in MODULES:
        struck = [kind for kind in known.values() if kind.module == module]
        parts.append(f"## {_TITLES[module]}\n\n{_table(struck)}")
    return "\n".join(parts)


def _table(struck: Sequence[Kind]) -> str:
    lines = ["| kind | what it does | where | outcome | noticed by, or why not |", "|---|---|---|---|---|"]
    lines += [
        f"| {kind.name} | {kind.does} | {kind.of}: {kind.where} | **{kind.caught}** | {kind.by} |" for kind in struck
    ]
    return "\n".join(lines).replace("\\", "\\\\") + "\n"
