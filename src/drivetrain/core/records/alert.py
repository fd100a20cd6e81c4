"""Rules that were broken, from the first window that broke them to the last, and what people made of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from drivetrain.core.clock import Micros
from drivetrain.core.records.base import Record

Severity: TypeAlias = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""From least to gravest."""


class Alert(Record, frozen=True, kw_only=True):
    """A rule that was broken, open until later windows keep it.

    ``pending`` is one that is broken, but not yet for as long as its rule asks; ``passed`` one that was kept again
    before it was. Neither is ever told. ``at`` is the end of the window that opened it.
    """

    kind = "alert"

    id: str
    endpoint: str
    rule: str
    """For example ``performance.average_precision`` or ``drift.weather.temp``."""
    severity: Severity = "warning"
    state: Literal["pending", "open", "resolved", "passed"] = "open"
    message: str
    """Words a person on call understands: what, how much, against what, when."""
    evidence: str = "{}"
    """JSON text: the figures behind the message."""
    report: str = ""
    """Ref of the report it came from."""
    resolved: Micros | None = None

    since: Micros = 0
    """Start of the first window that broke the rule."""
    window: Micros = 0
    """How long that window was."""
    broken: Micros = 0
    """How much time, in windows that follow one another, broke it before it opened."""
    windows: int = 1
    """How many windows these were."""
    calm: int = 0
    """Windows in a row that have kept the rule since the last one that broke it."""
    kept: Micros = 0
    """End of the newest of these."""
    peak: Severity | Literal[""] = ""
    """The gravest that people were told of; empty while they were not."""
    told: Micros | None = None
    """When people were first told, by the clock of whoever told them."""
    silence: str = ""
    """Id of the silence that held when it opened, or grew worse; empty where none did."""

    meaning: str = ""
    """What it means for the objective, a sentence."""
    cause: str = ""
    """What probably brought it about, a sentence; empty where nothing is known."""
    runbook: str = ""
    """Where it is written what to do: an address, or a path."""
    commands: tuple[str, ...] = ()
    """Commands that show more."""

    acknowledged: Micros | None = None
    """When a person said that they saw it."""
    by: str = ""
    """Who acknowledged it, or ended it by hand."""
    because: str = ""
    """Why a person ended it; empty where a window did."""
    useful: bool | None = None
    """Whether a person called it useful, or noise; none where nobody said."""

    @property
    def key(self) -> str:
        """The alert's id."""
        return self.id

    @property
    def subject(self) -> str:
        """The endpoint's name."""
        return self.endpoint

    @property
    def shown(self) -> bool:
        """Whether it ever opened: what is pending, or passed before it did, is nobody's business."""
        return self.state in {"open", "resolved"}


class Silence(Record, frozen=True, kw_only=True):
    """A time in which nobody is told of a rule; ``at`` is when it began. What follows from alerts goes on.

    ``rule`` is an alert's rule, or a family of rules: the part before the first dot.
    """

    kind = "silence"

    id: str
    rule: str
    endpoint: str = ""
    """The only endpoint it is for; all where it is empty."""
    until: Micros
    because: str
    actor: str = "person"
    ended: Micros | None = None
    """When it was ended, by a person or by its time, and what is still open was told."""

    @property
    def key(self) -> str:
        """The silence's id."""
        return self.id

    @property
    def subject(self) -> str:
        """``holding`` until it has ended."""
        return "holding" if self.ended is None else "ended"

    def covers(self, endpoint: str, rule: str) -> bool:
        """Whether it is about a rule on an endpoint."""
        return self.endpoint in {"", endpoint} and self.rule in {rule, rule.partition(".")[0]}

    def holds(self, now: Micros) -> bool:
        """Whether it is in force; before it began, on a clock that was set back, it is not."""
        return self.ended is None and self.at <= now < self.until


class Delivery(Record, frozen=True, kw_only=True):
    """Something that one sink is to hear of an alert, kept from the commit that decided it until it is heard.

    ``at`` is when it was decided. Nothing in it is secret: a sink goes by its name.
    """

    kind = "delivery"

    sink: str
    monitor: str
    """Endpoint whose monitor names the sink."""
    alert: str
    """The alert's id."""
    event: Literal["opened", "worse", "resolved", "still open"]
    severity: Severity
    state: Literal["waiting", "delivered", "given up", "overtaken"] = "waiting"
    attempts: int = 0
    tried: Micros = 0
    """When it was last tried."""
    due: Micros = 0
    """When it is tried next."""
    error: str = ""
    """Why the last attempt failed, without anything secret."""

    @property
    def key(self) -> str:
        """``monitor/sink/alert/event/severity``."""
        return f"{self.monitor}/{self.sink}/{self.alert}/{self.event}/{self.severity}"

    @property
    def subject(self) -> str:
        """Its state: those that wait are found without reading the rest."""
        return self.state
