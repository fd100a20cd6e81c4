"""Chapters of a story: what belongs together, from the first alert after a change to the decision that ended it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import Alert, Decision, MonitorReport
from drivetrain.monitor.alerting.quality import FLAPPING
from drivetrain.monitor.reporting.account import Account
from drivetrain.monitor.reporting.lanes import ENDS, family_of, left_shadow, moved

Kind: TypeAlias = Literal["drift", "estimated", "real", "also", "cause", "retrain", "shadow", "end"]

_SETTLES = {"wait", "approve", "shadow", "retrain"}
"""Decisions of which the last says whether a version waits for a person."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a chapter.

    Attributes:
        kind: Which one.
        happened: Whether it did; what did not is told as well.
        at: When; none where it did not happen.
        words: One sentence, with the figure it rests on.
        alert: Id of the alert behind it; empty where there is none.
        version: The version it is about.
        note: Whether it is for the record only: nobody is alarmed by it.
    """

    kind: Kind
    happened: bool
    words: str
    at: Micros | None = None
    alert: str = ""
    version: int | None = None
    note: bool = False


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to one chapter, as it is on record.

    Attributes:
        since: The first event.
        until: The decision that ended it, or the end of its last alert; none while it goes on.
        end: That decision; none where there is none.
        alerts: Those that opened in it, oldest first.
        standing: Those that had opened before it and had not ended when it began.
        moves: Decisions about versions, oldest first, the last among them.
        windows: What was seen in it; the first is the last one that had ended when it began.
        champion: Who answered as it began; none before the first version.
    """

    since: Micros
    until: Micros | None
    end: Decision | None
    alerts: tuple[Alert, ...]
    standing: tuple[Alert, ...]
    moves: tuple[Decision, ...]
    windows: tuple[MonitorReport, ...]
    champion: int | None

    def of(self, family: str) -> list[Alert]:
        """Alerts of a family, the new before those that stood, the gravest first, then the oldest."""
        order = {"critical": 0, "warning": 1, "info": 2}
        return [
            one
            for group in (self.alerts, self.standing)
            for one in sorted(group, key=lambda one: (order[one.severity], one.at))
            if family_of(one.rule) == family
        ]

    def move(self, what: str) -> Decision | None:
        """The last decision of a kind; of the shadow one that began it."""
        found = [one for one in self.moves if one.what == what and not left_shadow(one)]
        return found[-1] if found else None

    def seen_by(self, alert: Alert) -> MonitorReport | None:
        """The window in which an alert opened; of one that labels opened later, the first that broke its rule."""
        ended = [one for one in self.windows if one.until == alert.at]
        began = [one for one in self.windows if one.since == alert.since]
        return next(iter([*ended, *began]), None)

    @property
    def waiting(self) -> Decision | None:
        """That a version waits for a person; none once it was approved, is in the shadow, or training began anew."""
        after = [one for one in self.moves if one.what in _SETTLES and not left_shadow(one)]
        return after[-1] if after and after[-1].what == "wait" else None

    @property
    def calm(self) -> bool:
        """Whether all of its alarms have ended, and nothing was begun because of them."""
        return self.end is None and self.until is not None

    @property
    def before_training(self) -> list[MonitorReport]:
        """Windows that had ended when retraining began; all where it did not."""
        asked = self.move("retrain")
        return [one for one in self.windows if asked is None or one.until <= asked.at]


def chapters_of(account: Account) -> list[Events]:
    """An account in chapters, oldest first; decisions without alerts make chapters of their own.

    Alerts that are for the record only begin none. Where every alarm has ended by itself and nothing was begun because
    of it, the next one begins a chapter of its own, unless it comes so soon that it flaps.
    """
    book = _Book(account)
    loud = [one for one in book.alerts if one.severity != "info"]
    found: list[Events] = []
    after: Micros | None = None
    open_alerts: list[Alert] = []
    run: list[Decision] = []
    events: list[Alert | Decision] = [*loud, *book.moves]
    for event in sorted(events, key=lambda one: (one.at, isinstance(one, Decision))):
        if isinstance(event, Alert):
            if not run and _over(open_alerts, event.at - FLAPPING * event.window - 1):
                found.append(book.chapter([], (after, _last(open_alerts)), None))
                after, open_alerts = found[-1].until, []
            open_alerts.append(event)
            continue
        if not left_shadow(event):
            run.append(event)
        if event.what in ENDS:
            found.append(book.chapter(run, (after, event.at), event))
            after, run, open_alerts = event.at, [], []
    if run or open_alerts:
        known = max(account.until, account.closing)
        until = _last(open_alerts) if not run and _over(open_alerts, known) else None
        found.append(book.chapter(run, (after, until), None))
    return found


def _over(alerts: Sequence[Alert], before: Micros) -> bool:
    """Whether there were alarms, and all ended before a moment."""
    return bool(alerts) and all(one.resolved is not None and one.resolved <= before for one in alerts)


def _last(alerts: Sequence[Alert]) -> Micros:
    return max(one.resolved or 0 for one in alerts)


class _Book:
    """What is on record, in order, so that a chapter looks at its own time alone however much there is.

    Chapters are asked for from the oldest on.
    """

    def __init__(self, account: Account) -> None:
        self.alerts = sorted((one for one in account.alerts if one.shown), key=lambda one: (one.at, one.rule))
        self.moves = moved(account.decisions)
        self._opened = [one.at for one in self.alerts]
        self._crowned = [one for one in self.moves if one.what in {"promote", "rollback"}]
        self._crowned_at = [one.at for one in self._crowned]
        self._windows = sorted(account.windows, key=lambda one: one.until)
        self._seen = [one.until for one in self._windows]
        self._begun = sorted(account.windows, key=lambda one: one.since)
        self._begun_at = [one.since for one in self._begun]
        self._standing: list[Alert] = []
        self._turned = 0

    def chapter(
        self, moves: Sequence[Decision], between: tuple[Micros | None, Micros | None], end: Decision | None
    ) -> Events:
        """What belongs to a chapter that begins after a moment and ends at another."""
        after, last = between
        new = self.alerts[slice(*_within(self._opened, after, last))]
        since = min([*(one.at for one in new if one.severity != "info"), *(one.at for one in moves)])
        known = sorted(
            self._windows[slice(*_within(self._seen, after, last))], key=lambda one: (one.since, one.version)
        )
        first = max((one.until for one in known if one.until <= since), default=since)
        return Events(
            since=since,
            until=last,
            end=end,
            alerts=tuple(one for one in new if one.at >= since),
            standing=(*(one for one in new if one.at < since and not _ended(one, since)), *self._stood(after, since)),
            moves=tuple(moves),
            windows=tuple(one for one in known if one.until >= first),
            champion=self._champion(since, moves),
        )

    def _stood(self, after: Micros | None, since: Micros) -> list[Alert]:
        """Alerts of chapters before that had not ended; what has ended once is never asked about again."""
        turned = _within(self._opened, after, None)[0]
        self._standing += self.alerts[self._turned : turned]
        self._turned = turned
        self._standing = [one for one in self._standing if not _ended(one, since)]
        return self._standing

    def _champion(self, since: Micros, moves: Sequence[Decision]) -> int | None:
        """Who answered as a chapter began: as the last promotion before says, else as the windows do."""
        own = {one.id for one in moves}
        for place in range(bisect_right(self._crowned_at, since) - 1, -1, -1):
            if self._crowned[place].id not in own:
                return self._crowned[place].version
        seen = bisect_right(self._begun_at, since)
        return self._begun[seen - 1].version if seen else None


def _within(times: Sequence[Micros], after: Micros | None, last: Micros | None) -> tuple[int, int]:
    """Places of the sorted times that are later than one moment, and not later than another."""
    return (
        0 if after is None else bisect_right(times, after),
        len(times) if last is None else bisect_right(times, last),
    )


def _ended(alert: Alert, at: Micros) -> bool:
    return alert.resolved is not None and alert.resolved <= at
