"""Alerts as JSON, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import msgspec

from drivetrain.core.records import Severity
from drivetrain.monitor.alerting.message import Message, link, paragraphs
from drivetrain.monitor.alerting.sinks.post import post
from drivetrain.monitor.alerting.sinks.sink import PATIENCE, Posted, check_address, check_sink, label_of


@dataclass(frozen=True, repr=False)
class Webhook(Posted):
    """An address that gets what happens in one look as one JSON document by POST, queued and retried.

    The document: ``project``, ``title``, ``severity``, ``text``, and ``alerts``: for each its ``event`` (``opened``,
    ``worse``, ``still open`` or ``resolved``), the ``alert`` with the record's fields, and its ``link``. The header
    ``Idempotency-Key`` is for receivers that see one twice.

    Attributes:
        url: The address, or ``env:NAME``.
        least: The lowest severity told.
        headers: They go with every call; values may be ``env:NAME``.
        timeout: Seconds to wait for an answer.
        name: What it goes by on pages.
        patience: How long a message is tried before it is given up.
    """

    url: str
    _: KW_ONLY
    least: Severity = "warning"
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 5.0
    name: str = ""
    patience: str = PATIENCE

    def __post_init__(self) -> None:
        check_address(self.url, "a webhook")
        check_sink(self.least, self.patience)

    @property
    def label(self) -> str:
        """What it goes by."""
        return label_of("webhook", self.name, self.url)

    def send(self, message: Message) -> None:
        """Posts a message; raises what :func:`post` raises."""
        body = {
            "project": message.project,
            "title": message.title,
            "severity": message.severity,
            "text": "\n\n".join(paragraphs(message)),
            "alerts": [
                {"event": one.event, "alert": msgspec.to_builtins(one.alert), "link": link(message, one.alert)}
                for one in message.told
            ],
        }
        post(self.label, self.url, body, headers={"Idempotency-Key": message.id, **self.headers}, timeout=self.timeout)
