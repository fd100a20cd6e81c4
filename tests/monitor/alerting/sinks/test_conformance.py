from __future__ import annotations

import pytest

from drivetrain.monitor.alerting.sinks.mail import Email
from drivetrain.monitor.alerting.sinks.pagerduty import PagerDuty
from drivetrain.monitor.alerting.sinks.slack import Slack
from drivetrain.monitor.alerting.sinks.webhook import Webhook
from drivetrain.testing.sinks import SinkConformance
from monitor.alerting.receivers import closed_port

SECRETS = {"SINK_URL": "/T0/s3cret-path", "SINK_KEY": "R0123456789abcdef0123456789abcde"}


def _sinks(port: int) -> dict:
    url = f"http://127.0.0.1:{port}{SECRETS['SINK_URL']}"
    return {
        "webhook": Webhook("env:SINK_URL", headers={"Authorization": "env:SINK_KEY"}),
        "webhook in the open": Webhook(url),
        "slack": Slack("env:SINK_URL"),
        "pagerduty": PagerDuty("env:SINK_KEY", url=url),
        "e-mail": Email(
            "ops@example.org", "127.0.0.1", port=port, sender="d@example.org", user="ops", password="env:SINK_KEY"
        ),
    }


class TestSinks(SinkConformance):
    @pytest.fixture(params=sorted(_sinks(9)))
    def away(self, request, monkeypatch):
        port = closed_port()
        monkeypatch.setenv("SINK_URL", f"http://127.0.0.1:{port}{SECRETS['SINK_URL']}")
        monkeypatch.setenv("SINK_KEY", SECRETS["SINK_KEY"])
        return _sinks(port)[request.param]

    @pytest.fixture
    def secrets(self):
        return ["s3cret-path", SECRETS["SINK_KEY"]]
