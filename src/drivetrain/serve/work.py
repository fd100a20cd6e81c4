"""A batch on its way through a dataplane, and what each call gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from drivetrain.serve.answering import Part
from drivetrain.serve.call import Answer, Batch, Facts
from drivetrain.serve.reading import reads, told
from drivetrain.serve.routing.router import Route
from drivetrain.serve.serving import Serving
from drivetrain.serve.version import LoadedVersion, Output
from drivetrain.train.deciding.reading import Read


class Work(NamedTuple):
    """A batch on its way: what is known of it, which way each row goes, and who is asked for which rows."""

    serving: Serving
    batch: Batch
    facts: Facts
    away: tuple[str, ...]
    routes: list[Route]
    asked: list[tuple[LoadedVersion, Sequence[int]]]

    def vectors(self, places: Sequence[int]) -> Sequence[Sequence[Any]]:
        """The feature values of some of its rows."""
        known = self.facts.vectors
        return known if len(places) == len(known) else [known[at] for at in places]


def share(work: Work, parts: Sequence[Part]) -> list[Answer]:
    """Each call's own part of what was answered."""
    if len(parts) == 1 and len(work.batch.calls) == 1 and work.serving.router is None and not parts[0].failed:
        [call], [part] = work.batch.calls, parts
        away = list(work.away) or UNSET
        version = part.version
        if version.decides is None:
            return [Answer(part.outputs, call.request_id, version.record.version, features_away=away)]
        follows = told(reads(part) or ())
        return [Answer(part.outputs, call.request_id, version.record.version, features_away=away, **follows)]
    rows: list[tuple[Output, int, int]] = [(0.0, 0, 0)] * len(work.batch.rows)
    deciding = any(part.version.decides is not None for part in parts)
    read: list[Read | None] = [None] * len(rows) if deciding else []
    for part in parts:
        for at, output in zip(part.places, part.outputs, strict=True):
            rows[at] = output, part.version.record.version, part.failed
        for at, one in zip(part.places, reads(part) or (), strict=False):
            read[at] = one
    answers = []
    at = 0
    for call in work.batch.calls:
        own, ways = rows[at : at + len(call.rows)], work.routes[at : at + len(call.rows)]
        beside = told(read[at : at + len(call.rows)])
        at += len(call.rows)
        versions = [version for _, version, _ in own]
        absent = sorted({number for _, _, number in own if number})
        answers.append(
            Answer(
                predictions=[output for output, _, _ in own],
                request_id=call.request_id,
                model_version=versions[0],
                model_versions=versions if len(set(versions)) > 1 else UNSET,
                arms=[way.arm for way in ways] if ways[0].experiment else UNSET,
                failed=absent or UNSET,
                features_away=list(work.away) or UNSET,
                **beside,
            )
        )
    return answers
