"""What goes to PagerDuty, against the fields that its Events API v2 documents.

https://developer.pagerduty.com/docs/send-alert-event, https://developer.pagerduty.com/docs/events-api-v2-overview
"""

import pytest
from jsonschema import FormatChecker, validate

from drivetrain.core.errors import SinkAway
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.sinks.pagerduty import PagerDuty, event_of
from monitor.alerting.receivers import closed_port, receiving
from monitor.alerting.windows import alert, message

KEY = "R0123456789abcdef0123456789abcde"
LINKS = {"type": "array", "items": {"type": "object", "required": ["href"], "additionalProperties": False,
    "properties": {"href": {"type": "string", "pattern": "^https?://"}, "text": {"type": "string"}}}}  # fmt: skip
HEAD = {
    "routing_key": {"type": "string", "pattern": "^[A-Za-z0-9]{32}$"},
    "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
}
SCHEMA = {
    "oneOf": [
        {
            "type": "object",
            "required": ["routing_key", "event_action", "payload"],
            "additionalProperties": False,
            "properties": {
                **HEAD,
                "event_action": {"const": "trigger"},
                "client": {"type": "string"},
                "client_url": {"type": "string", "pattern": "^https?://"},
                "links": LINKS,
                "images": {"type": "array"},
                "payload": {
                    "type": "object",
                    "required": ["summary", "source", "severity"],
                    "additionalProperties": False,
                    "properties": {
                        "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
                        "source": {"type": "string", "minLength": 1},
                        "severity": {"enum": ["critical", "error", "warning", "info"]},
                        "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"},
                        "component": {"type": "string"},
                        "group": {"type": "string"},
                        "class": {"type": "string"},
                        "custom_details": {"type": "object"},
                    },
                },
            },
        },
        {
            "type": "object",
            "required": ["routing_key", "event_action", "dedup_key"],
            "additionalProperties": False,
            "properties": {**HEAD, "event_action": {"enum": ["acknowledge", "resolve"]}},
        },
    ]
}


@pytest.mark.parametrize("event", ["opened", "worse", "still open", "resolved"])
@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
def test_every_event_is_one_that_pagerduty_takes(event, severity):
    told = Told(alert(message="x" * 3000, severity=severity, runbook="https://run.example"), event)
    validate(event_of(message(told, project="p" * 300), told, KEY), SCHEMA, format_checker=FormatChecker())


def test_an_alert_and_its_end_are_one_incident(monkeypatch):
    monkeypatch.setenv("PD", KEY)
    with receiving() as receiver:
        sink = PagerDuty("env:PD", url=receiver.url, least="warning")
        sink.send(message(Told(alert(), "opened")))
        sink.send(message(Told(alert(state="resolved"), "resolved")))
    opened, over = receiver.got
    assert [one["event_action"] for one in receiver.got] == ["trigger", "resolve"]
    assert opened["dedup_key"] == over["dedup_key"] == "drivetrain/flights/a1"
    assert opened["payload"]["custom_details"]["words"][0] == "WARNING: words of a1"
    assert sink.label == "pagerduty PD"


def test_the_key_is_in_no_message(monkeypatch):
    monkeypatch.setenv("PD", KEY)
    with pytest.raises(SinkAway) as raised:
        PagerDuty("env:PD", url=f"http://127.0.0.1:{closed_port()}/{KEY}").send(message())
    assert KEY not in str(raised.value)
