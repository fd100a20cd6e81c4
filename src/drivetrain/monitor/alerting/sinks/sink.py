"""What a sink is: a declaration that can send."""

from __future__ import annotations

import hashlib
from typing import Protocol
from urllib.parse import urlsplit

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import SEVERITIES, Severity
from drivetrain.monitor.alerting.message import Message
from drivetrain.monitor.alerting.secret import named

PATIENCE = "3d"
"""How long a sink that takes nothing is tried."""


class Sink(Protocol):
    """Somebody who is told of alerts."""

    @property
    def label(self) -> str:
        """What it goes by in the catalog, on pages and in the log: nothing secret."""
        ...

    @property
    def lowest(self) -> Severity:
        """The lowest severity it is told of."""
        ...

    @property
    def patience_us(self) -> Micros:
        """How long something is tried before it is given up, microseconds."""
        ...

    def send(self, message: Message) -> None:
        """Delivers a message and waits for the answer.

        Raises:
            SinkAway: It could not be delivered; nothing secret is said.
        """
        ...


class Posted:
    """What all sinks of ours have in common: a severity to begin at, and how long they are tried."""

    least: Severity
    patience: str

    @property
    def label(self) -> str:
        """What it goes by."""
        raise NotImplementedError

    @property
    def lowest(self) -> Severity:
        """The lowest severity told."""
        return self.least

    @property
    def patience_us(self) -> Micros:
        """How long a message is tried."""
        return duration(self.patience)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label})"


def check_sink(least: str, patience: str) -> None:
    """Refuses settings that no sink can have.

    Raises:
        ProjectError: The severity is none.
        UsageError: The time is no duration.
    """
    if least not in SEVERITIES:
        raise ProjectError("a sink is told from a severity on", found=repr(least), expected=" or ".join(SEVERITIES))
    duration(patience)


def check_address(url: str, what: str) -> None:
    """Refuses what is neither a web address nor names one.

    Raises:
        ProjectError: So it is.
    """
    if not named(url) and not url.startswith(("http://", "https://")):
        raise ProjectError(f"{what} needs a web address", found=url, expected="http://…, https://… or env:NAME")


def label_of(kind: str, name: str, place: str) -> str:
    """What a sink goes by: its name where it has one, else its kind and where it is.

    Of an address only the host is told, with a few digits that tell two of a host apart: its path may be a secret.

    Example:
        >>> label_of("slack", "", "env:SLACK_URL"), label_of("webhook", "", "http://127.0.0.1:99/T0/x")
        ('slack SLACK_URL', 'webhook 127.0.0.1 1e68')
    """
    if name:
        return name
    if named(place):
        return f"{kind} {place.removeprefix('env:')}"
    host = urlsplit(place).hostname or place
    mark = hashlib.sha256(place.encode()).hexdigest()[:4]
    return f"{kind} {host} {mark}" if "://" in place else f"{kind} {host}"
