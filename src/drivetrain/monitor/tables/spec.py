"""What a project asks to be watched of a table, or of a feature view, where no endpoint need read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drivetrain.core.clock import DAY, Micros, duration, micros_of
from drivetrain.core.errors import ProjectError
from drivetrain.core.notebook import shown
from drivetrain.core.records import DataReport
from drivetrain.monitor.alerting.reading import check_path
from drivetrain.monitor.alerting.rule import Rule, Terms, terms
from drivetrain.monitor.alerting.sinks.sink import Sink
from drivetrain.monitor.spec import Drift

FAMILIES = (
    "table",
    "volume",
    "freshness",
    "quarantine",
    "schema",
    "nulls",
    "infinite",
    "constant",
    "range",
    "unseen",
    "drift",
    "age",
    "expired",
    "never",
    "rules",
)
"""Families of rules that every watch of a table or view has."""
TABLE, FEATURES = "table:", "features:"
REFERENCE = "56d"


class DataMonitor(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched of a table or a feature view, window by window of event time.

    Attributes:
        watched: ``table:`` or ``features:``, and the name.
        table: The table that is read.
        window: How long a window is, in whole days.
        wait: How long after its end a window is looked at, for rows that become known later than their event. Rows
            that were not known by then are in no window; windows of the reference are read as they were then, too.
        reference: What a window is held against: how much time before it, or the start and end of a stated time.
        drift: When a distribution counts as drifted; none to leave that alone. What it is held against is said by
            ``reference`` above, for all rules alike.
        columns: Watch only these; by default all but keys and what says when a row was.
        false_alarm: Share of windows without change in which any rule but drift may be broken; drift has its own.
        fewer: Smallest change of the number of rows worth a word, as a share.
        nulls: Smallest change of a share of nulls, or of refused rows, or of unseen categories, worth a word.
        sample: Of a view: pairs of entity and moment that are looked at in a window.
        begin: The day windows begin at; by default the window before the newest row's day at the first look.
        rules: Rules of the project's own, on figures of :class:`~drivetrain.core.records.DataReport`.
        sinks: Who is told besides the log and the catalog.
        runbooks: Rule, or family of rules → where it is written what to do.
        hold: Rule or family → for how long it must be broken before anybody is told.
        calm: How many windows in a row must keep a rule before its alert ends.

    Raises:
        ProjectError: It can't be as declared.

    Example:
        >>> DataMonitor(watched="table:flights", table="flights", window="7d").name
        'flights'
    """

    watched: str
    table: str
    window: str = "7d"
    wait: str | int = 0
    reference: str | tuple[str, str] = REFERENCE
    drift: Drift | None = Drift(statistic="psi", also=("ks",), reference="trailing", false_alarm=0.05)
    columns: Sequence[str] = ()
    false_alarm: float = 0.05
    fewer: float = 0.3
    nulls: float = 0.02
    sample: int = 2_000
    begin: str | None = None
    rules: Sequence[Rule] = ()
    sinks: Sequence[Sink] = ()
    runbooks: Mapping[str, str] = {}
    hold: Mapping[str, str | int] = {}
    calm: int = 1

    _repr_html_ = shown

    def __post_init__(self) -> None:
        if self.window_us < DAY or self.window_us % DAY:
            self._refuse("is looked at in windows of whole days", self.window, "a day (1d), or several")
        if not 0 < self.false_alarm < 1:
            self._refuse("has a rate of false alarms that is no share", self.false_alarm, "above 0, below 1")
        if not 0 < self.fewer < 1 or not 0 < self.nulls < 1:
            self._refuse("has a smallest change that is no share", f"{self.fewer}, {self.nulls}", "above 0, below 1")
        if self.sample < 100:
            self._refuse("is looked at too seldom", f"sample={self.sample}", "100 or more")
        since, until = self.span or (0, self.window_us)
        if until - since < self.window_us or (self.span is None and duration(self._trailing) < 2 * self.window_us):
            self._refuse(
                "has a reference that is shorter than what is held against it",
                repr(self.reference),
                "several times the window, such as '56d', or two days between which there are some",
            )
        if self.drift is not None and (self.drift.reference == "season" or self.drift.trailing != REFERENCE):
            self._refuse(
                "has a drift that says what it is held against",
                f"reference={self.drift.reference!r}, trailing={self.drift.trailing!r}",
                "reference= beside drift=: it is for all rules alike",
            )
        if self.drift is not None and self.drift.joint:
            self._refuse(
                "has a drift that looks at all columns together",
                f"joint={list(self.drift.joint)!r}",
                "a drift without joint=: columns of tables and views are looked at one by one",
            )
        self._check_rules()

    def _check_rules(self) -> None:
        names = [rule.name for rule in self.rules]
        for noun, said in (("rules", names), ("sinks", [sink.label for sink in self.sinks])):
            twice = [name for name in dict.fromkeys(said) if said.count(name) > 1]
            if twice:
                self._refuse(f"has two {noun} that go by one name", repr(twice[0]), "a name= for each")
        for rule in self.rules:
            if rule.name.partition(".")[0] in FAMILIES:
                self._refuse("has a rule of its own that is called like one it has anyway", rule.name, "another name")
            if rule.metric is not None:
                check_path(rule.metric, DataReport)
        for name, held in self.hold.items():
            if name in names:
                self._refuse("says of a rule how long it is held", name, "Rule(…, hold=…): it stands in the rule")
            terms(held, self.calm)

    def _refuse(self, what: str, found: object, expected: str) -> None:
        raise ProjectError(f"the watch on {self.watched} {what}", found=found, expected=expected)

    @property
    def name(self) -> str:
        """The table's or the view's name."""
        return self.watched.partition(":")[2]

    @property
    def of_features(self) -> bool:
        """Whether it is a view's features that are watched."""
        return self.watched.startswith(FEATURES)

    @property
    def words(self) -> str:
        """What it watches, in words: ``table flights``."""
        return f"{'view' if self.of_features else 'table'} {self.name}"

    @property
    def window_us(self) -> Micros:
        """``window`` in microseconds."""
        return duration(self.window)

    @property
    def wait_us(self) -> Micros:
        """``wait`` in microseconds."""
        return duration(self.wait)

    @property
    def trailing_us(self) -> Micros:
        """How much time before a window it is held against, microseconds, where no time is stated."""
        return duration(self._trailing)

    @property
    def span(self) -> tuple[Micros, Micros] | None:
        """The stated time that windows are held against; none where it is the time before each."""
        if isinstance(self.reference, str):
            return None
        since, until = self.reference
        return micros_of(since), micros_of(until)

    @property
    def _trailing(self) -> str:
        return self.reference if isinstance(self.reference, str) else REFERENCE

    def terms_of(self, rule: str) -> Terms:
        """For how long a rule must be broken and kept, and its runbook."""
        own = next((one for one in self.rules if one.name == rule), None)
        if own is not None:
            return own.terms
        family = rule.partition(".")[0]
        held = self.hold.get(rule, self.hold.get(family, 1))
        return terms(held, self.calm, self.runbooks.get(rule, self.runbooks.get(family, "")))
