"""What every sink of alerts must do."""

from __future__ import annotations

import pytest

from drivetrain.core.clock import SECOND
from drivetrain.core.errors import SinkAway
from drivetrain.core.records import SEVERITIES, Alert
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.message import gather
from drivetrain.monitor.alerting.sinks.sink import Sink


class SinkConformance:
    """Inherit it, and say in fixtures what to test.

    ``away``: a sink whose receiver is not there. ``secrets``: texts that must be in nothing it says.
    """

    def test_what_it_says_of_itself_is_not_secret(self, away: Sink, secrets: list[str]) -> None:
        """Its label goes into the catalog, onto pages and into the log, and so may its ``repr``."""
        assert away.label
        assert not [secret for secret in secrets if secret in away.label + repr(away)]

    def test_it_says_whom_it_is_for_and_how_patient_it_is(self, away: Sink) -> None:
        """A severity, and at least as long as a receiver takes to start."""
        assert away.lowest in SEVERITIES
        assert away.patience_us >= SECOND

    def test_a_receiver_that_is_away_is_said_without_secrets(self, away: Sink, secrets: list[str]) -> None:
        """So that the watch keeps the message and names the sink."""
        alert = Alert(id="a", endpoint="late", rule="drift", message="It moved.", severity="critical", peak="critical")
        for event in ("opened", "worse", "still open", "resolved"):
            with pytest.raises(SinkAway) as raised:
                away.send(gather("trains", "Warn early.", [Told(alert, event)]))
            assert not [secret for secret in secrets if secret in str(raised.value)]
