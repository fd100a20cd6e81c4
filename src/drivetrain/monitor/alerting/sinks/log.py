"""The log, which is always told, at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from drivetrain.core.records import Severity
from drivetrain.monitor.alerting.lifecycle import Told

_LEVELS: dict[Severity, int] = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}
log = logging.getLogger("drivetrain.alerts")


def tell_log(told: Sequence[Told]) -> None:
    """Writes a line an alert to the log ``drivetrain.alerts``."""
    for one in told:
        if one.event == "resolved":
            log.info("resolved: %s", one.alert.message)
        else:
            prefix = "" if one.event == "opened" else f"{one.event}: "
            log.log(_LEVELS[one.alert.severity], "%s%s", prefix, one.alert.message)
