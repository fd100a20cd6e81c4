"""What goes out as one message: everything that one look, or a sink's absence, has gathered, a shared cause first."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from drivetrain.core.clock import datetime_of
from drivetrain.core.records import SEVERITIES, Alert, Severity
from drivetrain.monitor.alerting.lifecycle import Event, Told

MOST = 20
"""Alerts told in full; of more than that the number is told."""
_EVENTS: tuple[Event, ...] = ("opened", "worse", "still open", "resolved")
_WORDS: dict[Event, str] = {"opened": "opened", "worse": "grew worse", "still open": "still open", "resolved": "ended"}


class Message(msgspec.Struct, frozen=True):
    """What a sink is given.

    Attributes:
        project: The project's name.
        objective: What its models are for, a sentence.
        told: What happened, gravest first; never empty.
        home: Address of the dashboard.
    """

    project: str
    objective: str
    told: tuple[Told, ...]
    home: str = ""

    @property
    def id(self) -> str:
        """The same for the same content, for receivers that see one twice."""
        return "+".join(f"{one.alert.id}:{one.event}:{one.alert.severity}" for one in self.told)

    @property
    def severity(self) -> Severity:
        """The gravest of what did not end; ``info`` where all of it did."""
        found = [one.alert.severity for one in self.told if one.event != "resolved"]
        return max(found, key=SEVERITIES.index, default="info")

    @property
    def title(self) -> str:
        """What happened, in one line."""
        parts = []
        for event in _EVENTS:
            about = [one.alert for one in self.told if one.event == event]
            if about:
                rules = ", ".join(dict.fromkeys(f"{one.rule} on {one.endpoint}" for one in about[:2]))
                more = f" and {len(about) - 2} more" if len(about) > 2 else ""
                parts.append(f"{_WORDS[event]}: {rules}{more}")
        return f"[{self.project}] {self.severity if self.severity != 'info' else 'note'} – {'; '.join(parts)}"

    @property
    def shared(self) -> str:
        """The cause that most of what opened has in common; empty where there is none."""
        causes = [one.alert.cause for one in self.told if one.event != "resolved" and one.alert.cause]
        found = max(dict.fromkeys(causes), key=causes.count, default="")
        return found if found and causes.count(found) > 1 else ""


def gather(project: str, objective: str, told: Sequence[Told], home: str = "") -> Message:
    """One message of many events: those that share the commonest cause first, then by event and severity."""
    causes = [one.alert.cause for one in told if one.event != "resolved"]

    def place(one: Told) -> tuple[object, ...]:
        shares = causes.count(one.alert.cause) if one.alert.cause and one.event != "resolved" else 0
        gravity = -SEVERITIES.index(one.alert.severity)
        return (_EVENTS.index(one.event), -shares, gravity, one.alert.endpoint, one.alert.rule)

    return Message(project, objective, tuple(sorted(told, key=place)), home)


def link(message: Message, alert: Alert) -> str:
    """Address of an alert's page; empty where nobody knows the dashboard's."""
    return f"{message.home}/alerts/{alert.id}" if message.home else ""


def since(alert: Alert) -> str:
    """Since when its rule has been broken.

    Example:
        >>> since(Alert(id="a", endpoint="late", rule="slow", message="", since=1_000_000))
        'since 1 January 1970, 1 window'
    """
    if not alert.since:
        return ""
    moment = datetime_of(alert.since)
    return f"since {moment.day} {moment:%B %Y}, {alert.windows} window{'s' if alert.windows > 1 else ''}"


def paragraphs(message: Message) -> list[str]:
    """The message as plain text: the shared cause, then each alert in words, with what to do next."""
    found: list[str] = []
    if message.shared:
        found.append(f"Shared cause: {message.shared}")
    found += ["\n".join(lines(message, one)) for one in message.told[:MOST]]
    left = len(message.told) - MOST
    if left > 0:
        found.append(f"And {left} more; drivetrain status lists every one.")
    return found


def lines(message: Message, told: Told) -> list[str]:
    """One alert in words, a line each."""
    alert = told.alert
    if told.event == "resolved":
        how = f"ended by {alert.by}: {alert.because}" if alert.because else "ended: the rule is kept again"
        return [f"{alert.rule} on {alert.endpoint} {how}."]
    head = alert.severity.upper() if told.event == "opened" else f"{alert.severity.upper()}, {_WORDS[told.event]}"
    found = [f"{head}: {alert.message}"]
    if when := since(alert):
        found.append(f"Broken {when}.")
    if alert.meaning:
        found.append(f"Means: {alert.meaning}")
    if alert.cause and alert.cause != message.shared:
        found.append(f"Probably: {alert.cause}")
    if alert.runbook:
        found.append(f"Do: {alert.runbook}")
    found += [f"More: {command}" for command in alert.commands]
    if address := link(message, alert):
        found.append(f"Page: {address}")
    return found
