"""``project.alerts``: what is open, who was told, what people made of it, and whether it was worth telling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from drivetrain.core.clock import Micros, iso
from drivetrain.core.records import SEVERITIES, Alert, Delivery, Silence
from drivetrain.loop.alerting.ending import acknowledge, find_alert, resolve
from drivetrain.loop.alerting.silencing import end_silence, silence
from drivetrain.loop.alerting.telling import sinks_of
from drivetrain.loop.definitions import Definitions
from drivetrain.monitor.alerting.outbox import by_sink, standing
from drivetrain.monitor.alerting.quality import AlertQuality, quality

RECENT = 500


class SinkState(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink does.

    Attributes:
        sink: What it goes by.
        state: ``good``; ``away`` where the last attempt failed; ``gone`` where no monitor names it any more.
        waiting: How many events wait for it.
        oldest: When the first of them was decided, ISO 8601; empty where none waits.
        attempts: How often the oldest was tried.
        error: Why the last attempt failed.
        delivered: How many events it has taken.
        given_up: How many were given up.
    """

    sink: str
    state: Literal["good", "away", "gone"]
    waiting: int
    oldest: str
    attempts: int
    error: str
    delivered: int
    given_up: int


class Alerts:
    """The alerts of a project."""

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def list(
        self, *, state: Literal["open", "pending", "resolved", "all"] = "open", endpoint: str | None = None
    ) -> list[Alert]:
        """Alerts, gravest first, then newest; what was pending and passed is in none of them.

        Args:
            state: Which.
            endpoint: Only those on this endpoint.
        """
        found = self._project.store.catalog.find(Alert, endpoint)
        shown = [one for one in found if one.state == state or (state == "all" and one.shown)]
        return sorted(shown, key=lambda one: (-SEVERITIES.index(one.severity), -one.at))

    def get(self, alert: str) -> Alert:
        """One alert, by its id, the beginning of it, or its rule where one alert of that rule is open.

        Raises:
            UnknownName: There is none, or more than one.
        """
        return find_alert(self._project, alert)

    def acknowledge(self, alert: str, *, actor: str = "person") -> Alert:
        """Says that a person has seen it; how long that took counts in :meth:`quality`."""
        return acknowledge(self._project, alert, actor=actor)

    def resolve(self, alert: str, *, because: str = "", useful: bool | None = None, actor: str = "person") -> Alert:
        """Ends an alert by hand; the next window that breaks its rule opens another.

        Args:
            alert: Which, as for :meth:`get`.
            because: Why; only one that has ended needs no reason.
            useful: Whether it was useful, or noise.
            actor: Who says so.

        Raises:
            UnknownName: There is no such alert.
            UsageError: It is open and there is no reason; or it has ended and nothing is said of it.
        """
        return resolve(self._project, alert, because=because, useful=useful, actor=actor)

    def silence(
        self, rule: str, lasting: str | Micros, *, because: str, endpoint: str | None = None, actor: str = "person"
    ) -> Silence:
        """Tells nobody of a rule for a time; it ends by itself, and then what is still open is told.

        Alerts open and end as ever meanwhile, and what follows from them, such as retraining, does too.

        Args:
            rule: A rule, or a family of rules: ``drift``.
            lasting: For how long: ``"2h"``.
            because: Why.
            endpoint: Only on this one.
            actor: Who says so.

        Raises:
            UnknownName: There is no such rule or endpoint.
            UsageError: It has no length, or no reason.
        """
        return silence(self._project, rule, lasting, because=because, endpoint=endpoint, actor=actor)

    def unsilence(self, silence: str, *, because: str = "it is over", actor: str = "person") -> Silence:
        """Ends a silence before its time, and tells what is still open.

        Raises:
            UnknownName: None that holds has an id that begins so.
        """
        return end_silence(self._project, silence, because=because, actor=actor)

    def silences(self) -> Sequence[Silence]:
        """Silences that have not ended, the one that ends first in front."""
        return sorted(self._project.store.catalog.find(Silence, "holding"), key=lambda one: one.until)

    def quality(self, endpoint: str | None = None) -> Sequence[AlertQuality]:
        """How good alerts were: all rules together, then each."""
        return quality(self._project.store.catalog.find(Alert, endpoint))

    def sinks(self) -> Sequence[SinkState]:
        """How everybody does who is told; those that are away first."""
        catalog = self._project.store.catalog
        waiting = by_sink(catalog.find(Delivery, "waiting"))
        delivered = by_sink(catalog.find(Delivery, "delivered", limit=RECENT))
        given_up = by_sink(catalog.find(Delivery, "given up", limit=RECENT))
        wrong = standing([one for found in waiting.values() for one in found])
        declared = sinks_of(self._project)
        labels = sorted({*declared, *waiting}, key=lambda label: (label not in wrong, label))
        return [
            SinkState(
                sink=label,
                state="gone" if label not in declared else "away" if label in wrong else "good",
                waiting=len(waiting.get(label, ())),
                oldest=iso(waiting[label][0].at) if label in waiting else "",
                attempts=waiting[label][0].attempts if label in waiting else 0,
                error=wrong.get(label, ""),
                delivered=len(delivered.get(label, ())),
                given_up=len(given_up.get(label, ())),
            )
            for label in labels
        ]
