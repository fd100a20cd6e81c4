"""The timeline in words: what happened, what was decided, by whom, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import Decision
from drivetrain.web.words import plural

_TITLES = {
    "ingest": "New data came in",
    "train": "A model was trained",
    "register": "Version {version} was registered",
    "shadow": "Version {version} began to run in shadow",
    "promote": "Version {version} was promoted",
    "refuse": "Version {version} was refused",
    "retrain": "Retraining began",
    "rollback": "Rolled back to version {version}",
    "alert": "An alert was raised",
    "replay": "Past traffic was replayed",
    "route": "Who answers was changed",
    "sign": "Version {version} was signed",
    "readmit": "Rows that were set aside came back",
    "drop": "Rows that were set aside were dropped",
    "import": "Version {version} came from another project",
    "wait": "Version {version} waits for approval",
    "approve": "Version {version} was approved",
    "clean": "Artifacts of old versions were removed",
    "silence": "Alerts were silenced",
    "resolve": "A person looked at an alert",
}
_TONES = {
    "promote": "good",
    "refuse": "bad",
    "rollback": "watch",
    "alert": "watch",
    "retrain": "step",
    "shadow": "step",
    "route": "step",
    "readmit": "step",
    "drop": "watch",
    "import": "step",
    "wait": "watch",
    "approve": "good",
    "clean": "step",
    "silence": "step",
    "resolve": "step",
}
_ROUTINE = {"ingest", "replay"}


class Chapter(msgspec.Struct, frozen=True):
    """One line of the timeline; routine ones that follow each other are told once, with their number."""

    title: str
    because: str
    about: str
    what: str
    actor: str
    at: Micros
    since: Micros
    """When the first of a group happened; equal to ``at`` for one alone."""
    tone: str = "plain"
    version: int | None = None
    evidence: str = ""
    """The figures it rests on, as JSON to read; empty where there are none."""


def tell(decisions: Sequence[Decision]) -> list[Chapter]:
    """Decisions, newest first, as chapters."""
    chapters: list[Chapter] = []
    for routine, run in groupby(decisions, key=lambda one: one.what if one.what in _ROUTINE else one.id):
        group = list(run)
        chapters.append(_together(group) if routine in _ROUTINE and len(group) > 1 else _chapter(group[0]))
    return chapters


def decided(chapters: Iterable[Chapter]) -> list[Chapter]:
    """The chapters in which something was decided, leaving out what only came in."""
    return [one for one in chapters if one.what not in _ROUTINE]


def evidence_text(evidence: str) -> str:
    """Evidence, indented; empty where it is no JSON or says nothing."""
    try:
        value = json.loads(evidence)
    except ValueError:
        return ""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def _chapter(decision: Decision) -> Chapter:
    title = _TITLES[decision.what]
    if decision.what == "alert" and decision.because.startswith("resolved:"):
        title = "An alert ended"
    elif decision.what == "shadow" and decision.because.startswith("shadow taken away"):
        title = "Version {version} left the shadow"
    if "{version}" in title:
        title = title.format(version=decision.version) if decision.version else title.replace(" {version}", "")
    return Chapter(
        title=title,
        because=decision.because,
        about=decision.about,
        what=decision.what,
        actor=decision.actor,
        at=decision.at,
        since=decision.at,
        tone=_TONES.get(decision.what, "plain"),
        version=decision.version,
        evidence=evidence_text(decision.evidence),
    )


def _together(group: Sequence[Decision]) -> Chapter:
    newest, oldest = group[0], group[-1]
    noun = "delivery of new data" if newest.what == "ingest" else "replay of past traffic"
    many = "deliveries of new data" if newest.what == "ingest" else "replays of past traffic"
    return Chapter(
        title=plural(len(group), noun, many),
        because=f"The last: {newest.because}",
        about=newest.about,
        what=newest.what,
        actor=newest.actor,
        at=newest.at,
        since=oldest.at,
    )
