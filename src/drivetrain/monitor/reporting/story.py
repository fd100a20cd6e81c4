"""The story of an endpoint over a time: lanes on one axis, and chapters in words."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.evaluate.wording import span
from drivetrain.monitor.reporting.account import Account
from drivetrain.monitor.reporting.chapter import Events, Kind, Step, chapters_of
from drivetrain.monitor.reporting.lanes import Lanes, lanes
from drivetrain.monitor.reporting.steps import asked_by, day, steps

Outcome: TypeAlias = Literal["released", "promoted", "refused", "rolled back", "nothing came", "waits", "ended", "open"]


STEPS: dict[Kind, str] = {
    "drift": "Drift",
    "estimated": "Estimated",
    "real": "On labels",
    "also": "Also",
    "cause": "Cause",
    "retrain": "Retraining",
    "shadow": "In the shadow",
    "end": "Decided",
}
"""What each step is called."""

SHOWN = 60
"""Chapters that pages and drawings hold, the newest."""
_ASKED = {
    "schedule": "A retraining by schedule",
    "forgetting": "A retraining after a subject was forgotten",
    "": "A retraining",
}


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """What happened from the first alert after a change to the decision that ended it.

    Attributes:
        number: From 1, as it is drawn over the lanes.
        since: Its first event.
        until: When it was over: the decision that ended it, or the end of its last alert; none while it goes on.
        title: What began it and what came of it.
        outcome: What came of it.
        version: The version that this is about; none where there is none.
        steps: What happened, and what did not, in the order in which one brings about the next.
    """

    number: int
    since: Micros
    until: Micros | None
    title: str
    outcome: Outcome
    version: int | None
    steps: tuple[Step, ...]

    @property
    def when(self) -> str:
        """Its days in words."""
        if self.until is None:
            return f"since {day(self.since)}"
        return day(self.since) if day(self.since) == day(self.until) else span(self.since, self.until + 1)

    @property
    def tone(self) -> str:
        """``good``, ``bad``, ``watch`` or ``step``."""
        tones = {"released": "good", "promoted": "good", "refused": "bad", "rolled back": "watch"}
        return tones.get(self.outcome, "step")


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint over a time.

    Attributes:
        lanes: Everything on one axis.
        chapters: The same in words, oldest first.
    """

    lanes: Lanes
    chapters: tuple[Chapter, ...] = ()

    @property
    def newest(self) -> tuple[Chapter, ...]:
        """Those that pages show, oldest first."""
        return self.chapters[-SHOWN:]

    @property
    def earlier(self) -> str:
        """How many came before those, a sentence; empty where there is none."""
        count = len(self.chapters) - SHOWN
        if count <= 0:
            return ""
        were = "1 more chapter came" if count == 1 else f"{count:,} more chapters came"
        return f"{were} before these; name a time to read of them, or ask for the story as JSON, which holds all."


def tell(account: Account) -> Story:
    """The story of an account; nothing in it is not on record there.

    Example:
        >>> from drivetrain.core.records import Decision
        >>> made = Decision(id="d", at=0, about="late", what="promote", version=1, because="It is the first.")
        >>> account = Account(
        ...     project="flights", objective="", endpoint="late", model="late", metric="", since=0, until=1, made=1,
        ...     decisions=(made,),
        ... )
        >>> [(one.title, one.steps[-1].words) for one in tell(account).chapters]
        [('v1 was promoted', 'v1 was promoted: It is the first.')]
    """
    found = [_chapter(place, one, account.metric) for place, one in enumerate(chapters_of(account), start=1)]
    return Story(lanes=lanes(account), chapters=tuple(found))


def _chapter(number: int, events: Events, metric: str) -> Chapter:
    told = steps(events, metric)
    outcome = _outcome(events)
    version = told[-1].version or (events.champion if events.end is None else None)
    begun = _begun(events, told)
    ended = _ended(outcome, told[-1].version, events)
    return Chapter(
        number=number,
        since=events.since,
        until=events.until,
        title=f"{begun}: {ended}" if begun else ended,
        outcome=outcome,
        version=version,
        steps=tuple(told),
    )


def _outcome(events: Events) -> Outcome:
    end = events.end
    if end is None:
        if events.waiting is not None:
            return "waits"
        return "ended" if events.calm else "open"
    if end.what == "promote":
        return "released" if not events.alerts and events.move("retrain") is None else "promoted"
    if end.what == "rollback":
        return "rolled back"
    return "refused" if end.version is not None else "nothing came"


def _begun(events: Events, told: list[Step]) -> str:
    """What a chapter began with, in few words; empty where it is a decision alone."""
    asked = events.move("retrain")
    before = [one for one in told if one.happened and one.at is not None and (asked is None or one.at <= asked.at)]
    loud = {one.kind for one in before if not one.note}
    happened = loud if loud & {"drift", "estimated", "real", "also"} else {one.kind for one in before}
    names = {"drift": "drift", "estimated": "an estimated fall", "real": "a fall on labels", "also": "other alerts"}
    found = [words for kind, words in names.items() if kind in happened]
    if not found:
        return "" if asked is None else _ASKED[asked_by(asked)]
    words = found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
    return f"{words[:1].upper()}{words[1:]}"


def _ended(outcome: Outcome, version: int | None, events: Events) -> str:
    if outcome == "open":
        trained = events.move("retrain") is not None
        return "a new version is in the shadow" if events.move("shadow") else "retraining" if trained else "still open"
    by_hand = any(one.because for one in events.alerts)
    return {
        "released": f"v{version} was promoted",
        "promoted": f"v{version} was promoted",
        "refused": f"v{version} was refused",
        "rolled back": f"back to v{version}",
        "nothing came": "nothing came of the training",
        "waits": "a version waits for approval",
        "ended": "the alerts were ended by a person" if by_hand else "the alerts ended by themselves",
    }[outcome]
