"""What follows from answers, as callers are told of it: decisions, intervals and sets beside the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from drivetrain.serve.answering import Part
from drivetrain.train.deciding.reading import Read

_NOTHING = Read()


class Told(TypedDict, total=False):
    """Members of an answer; those that no version declares are left out."""

    decisions: list[bool | None]
    intervals: list[tuple[float, float] | None]
    sets: list[list[str] | None]


def reads(part: Part) -> Sequence[Read] | None:
    """What follows from each answer of a part; none where nothing does, as of an endpoint's declared default."""
    deciding = part.version.decides
    if deciding is None or part.failed == part.version.number:
        return None
    return list(map(deciding.read, part.outputs))


def told(read: Sequence[Read | None]) -> Told:
    """What callers are told of each instance, in their order."""
    rows = [_NOTHING if each is None else each for each in read]
    found = Told()
    if any(row.decision is not None for row in rows):
        found["decisions"] = [row.decision for row in rows]
    if any(row.interval is not None for row in rows):
        found["intervals"] = [row.interval for row in rows]
    if any(row.classes is not None for row in rows):
        found["sets"] = [row.classes for row in rows]
    return found
