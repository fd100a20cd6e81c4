"""Alerts as incidents of PagerDuty, or of whatever takes its Events API v2."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import msgspec

from drivetrain.core.clock import iso
from drivetrain.core.errors import SinkAway
from drivetrain.core.records import Severity
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.message import Message, lines, link
from drivetrain.monitor.alerting.secret import hide, require_named, reveal
from drivetrain.monitor.alerting.sinks.post import post
from drivetrain.monitor.alerting.sinks.sink import PATIENCE, Posted, check_address, check_sink, label_of

EVENTS = "https://events.pagerduty.com/v2/enqueue"
SUMMARY, DEDUP = 1024, 255
"""Characters of a summary and of a ``dedup_key`` that PagerDuty takes.

https://developer.pagerduty.com/docs/events-api-v2-overview, …/send-alert-event
"""


@dataclass(frozen=True, repr=False)
class PagerDuty(Posted):
    """A service's integration: each alert triggers an incident, and resolves it when it ends.

    An alert's id is the ``dedup_key``, so that an event sent twice, or an alert that grew worse, is the same incident.

    Attributes:
        routing_key: ``env:NAME`` of the variable that holds the integration key.
        least: The lowest severity told.
        url: Where events go.
        timeout: Seconds to wait for an answer.
        name: What it goes by on pages.
        patience: How long an event is tried before it is given up.
    """

    routing_key: str
    _: KW_ONLY
    least: Severity = "critical"
    url: str = EVENTS
    timeout: float = 5.0
    name: str = ""
    patience: str = PATIENCE

    def __post_init__(self) -> None:
        require_named(self.routing_key, "PagerDuty's routing key")
        check_address(self.url, "PagerDuty")
        check_sink(self.least, self.patience)

    @property
    def label(self) -> str:
        """What it goes by."""
        return label_of("pagerduty", self.name, self.routing_key)

    def send(self, message: Message) -> None:
        """Sends an event for each alert; raises what :func:`post` raises."""
        key = reveal(self.routing_key)
        for one in message.told:
            try:
                post(self.label, self.url, event_of(message, one, key), timeout=self.timeout)
            except SinkAway as error:
                raise SinkAway(hide(error.what, [key]), found=error.found, do=error.do, after=error.after) from None


def event_of(message: Message, told: Told, routing_key: str) -> dict[str, Any]:
    """An event of the Events API v2."""
    alert = told.alert
    head: dict[str, Any] = {
        "routing_key": routing_key,
        "dedup_key": f"drivetrain/{message.project}/{alert.id}"[-DEDUP:],
    }
    if told.event == "resolved":
        return {**head, "event_action": "resolve"}
    address = link(message, alert)
    links = [{"href": address, "text": "The alert"}] if address else []
    if alert.runbook.startswith(("http://", "https://")):
        links.append({"href": alert.runbook, "text": "Runbook"})
    return {
        **head,
        "event_action": "trigger",
        "client": "drivetrain",
        **({"client_url": address} if address else {}),
        "payload": {
            "summary": alert.message[:SUMMARY],
            "source": f"{message.project}/{alert.endpoint}",
            "severity": alert.severity,
            "timestamp": iso(alert.at),
            "component": alert.endpoint,
            "group": message.project,
            "class": alert.rule,
            "custom_details": {
                "words": lines(message, told),
                "evidence": msgspec.json.decode(alert.evidence),
                "shared_cause": message.shared,
            },
        },
        "links": links,
    }
