"""What there is to report of one table or feature view over a time, and the sentences that say it."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import SEVERITIES, Alert, DataReport, Decision
from drivetrain.evaluate.wording import span
from drivetrain.monitor.alerting.quality import AlertQuality
from drivetrain.monitor.reporting.account import ROUTINE

_MEANINGS = 2


class DataAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One table or feature view over a time.

    Attributes:
        project: The project's name.
        objective: What its models are for, a sentence.
        endpoint: What is watched: ``table:flights``.
        since: Start of the time.
        until: Its end.
        made: When the report was made.
        windows: What the watch saw, oldest first.
        alerts: Alerts that were open in the time, gravest first.
        decisions: What was decided in it, newest first.
        quality: How good the alerts were: all together, then each rule.
    """

    project: str
    objective: str
    endpoint: str
    since: Micros
    until: Micros
    made: Micros
    windows: tuple[DataReport, ...] = ()
    alerts: tuple[Alert, ...] = ()
    decisions: tuple[Decision, ...] = ()
    quality: tuple[AlertQuality, ...] = ()

    @property
    def opened(self) -> list[Alert]:
        """Alerts that are open."""
        return [one for one in self.alerts if one.state == "open"]

    @property
    def level(self) -> str:
        """``good``, ``warn`` or ``bad``; empty where nothing was seen."""
        if not self.windows:
            return ""
        worst = max((one.severity for one in self.opened), key=SEVERITIES.index, default="info")
        return {"critical": "bad", "warning": "warn", "info": "good"}[worst]

    @property
    def headline(self) -> str:
        """How it stands, in one sentence."""
        if not self.windows:
            return f"No window of {self.endpoint} has ended in this time."
        if not self.opened:
            return f"{self.endpoint} is as it was before: no alert is open."
        worst = min(self.opened, key=lambda one: -SEVERITIES.index(one.severity))
        count = len(self.opened)
        rest = f" {count - 1} more {'alert is' if count == 2 else 'alerts are'} open." if count > 1 else ""
        return f"{worst.message.rstrip('.')}.{rest}"

    @property
    def told(self) -> list[Decision]:
        """What was decided, without the routine of data that came in."""
        return [one for one in self.decisions if one.what not in ROUTINE]

    @property
    def sentences(self) -> list[str]:
        """What a person needs to know first: rows, columns, what could not be judged, alerts, and what they mean."""
        if not self.windows:
            return []
        last = self.windows[-1]
        means = list(dict.fromkeys(one.meaning for one in self.opened if one.meaning))[:_MEANINGS]
        notes = [f"{note[:1].upper()}{note[1:]}." for note in last.notes]
        return [*means, self._rows(last), *([self._drift(last)] if last.drift else []), *notes, self._alerts()]

    def _rows(self, last: DataReport) -> str:
        when = span(last.since, last.until)
        many = f"{len(self.windows)} window{'s' if len(self.windows) > 1 else ''}"
        if last.volume is None:
            return f"{many}; that of {when} could not be looked at."
        unit = "entities with events" if self.endpoint.startswith("features:") else "rows"
        usual = f", {last.volume.middle:,.0f} is usual" if last.volume.middle is not None else ""
        return f"{many}; that of {when} had {last.volume.value:,.0f} {unit}{usual}."

    def _drift(self, last: DataReport) -> str:
        drifted = [one.feature for one in last.drift if one.drifted]
        if not drifted:
            return f"None of {len(last.drift)} columns had drifted in it."
        return f"{', '.join(drifted[:3])}{' and more' if len(drifted) > 3 else ''} had drifted, of {len(last.drift)}."

    def _alerts(self) -> str:
        if not self.alerts:
            return "No alert was open in this time."
        count = f"{len(self.alerts)} alert{'s were' if len(self.alerts) > 1 else ' was'}"
        return f"{count} open in this time, {len(self.alerts) - len(self.opened)} of them ended."
