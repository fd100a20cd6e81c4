"""What a project asks to be watched, by whom it is told, and what it triggers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from drivetrain.core.clock import DAY, Micros, duration
from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.core.notebook import shown
from drivetrain.core.records import MonitorReport
from drivetrain.evaluate.metrics import metric_of
from drivetrain.monitor.alerting.reading import check_path
from drivetrain.monitor.alerting.rule import Rule, Terms, terms
from drivetrain.monitor.alerting.sinks.sink import Sink
from drivetrain.monitor.attribution.spec import Attribution
from drivetrain.monitor.concept.detector import ConceptName, check_detector
from drivetrain.monitor.groups.spec import Fairness, Segments
from drivetrain.monitor.statistics.statistic import StatisticName, statistic_of
from drivetrain.monitor.worth.spec import Business

Trigger = Literal[
    "performance",
    "estimated",
    "calibration",
    "drift",
    "concept",
    "latency",
    "fairness",
    "segment",
    "business",
    "attribution",
]
"""Family of rules: the first part of an alert's rule."""
ReferenceName = Literal["training", "trailing", "season"]
JointName = Literal["classifier", "reconstruction"]


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """When the distribution of a feature, or of the predictions, counts as drifted.

    Attributes:
        statistic: ``psi``, ``js`` (distance, base 2), ``ks``, ``chi2`` (as Cohen's w), ``hellinger``, ``tv`` (total
            variation), ``wasserstein`` or ``energy`` (distances between values in standard deviations, of categories
            between any two one), over bins of the reference's quantiles or categories; nulls are a bin of their own.
        also: Further statistics, each in the report beside the first; the rate of false alarms is split among them.
        joint: What looks at all features together: ``classifier`` (trees that tell the window's rows from those of
            before), ``reconstruction`` (rows rebuilt from principal components). Each has its part of the rate, too.
            Held against the rows that the version was evaluated on, or, as ``reference`` says, its own answers.
        reference: What a window is held against: ``training``, the rows the version was trained on; ``trailing``, what
            the endpoint itself answered in the weeks before; ``season``, what it answered around the same days of the
            years before. Where the endpoint has too little history for the last two, it is the training's rows, and
            the report says so.
        trailing: How much of its own history a window is held against.
        effect: Smallest value worth a word, however surely it is there; each statistic's own by default.
        false_alarm: Share of windows without change in which anything at all may be called drifted, features and
            predictions together. A reference of m windows' length can promise no less than 1 / (m + 1).
        weight: Drifted features are a warning from this share of the model's importance on, a note below it.
        features: Watch only these; all by default.
    """

    statistic: StatisticName = "psi"
    effect: float | None = None
    false_alarm: float = 0.15
    weight: float = 0.05
    features: Sequence[str] = ()
    also: Sequence[StatisticName] = ()
    joint: Sequence[JointName] = ()
    reference: ReferenceName = "training"
    trailing: str = "56d"

    def __post_init__(self) -> None:
        for name in self.statistics:
            statistic_of(name)
        if self.reference not in get_args(ReferenceName):
            raise ProjectError(
                "a drift is held against an unknown reference",
                found=repr(self.reference),
                expected=", ".join(get_args(ReferenceName)),
            )
        for method in self.joint:
            if method not in get_args(JointName):
                raise ProjectError(
                    "features are looked at together by an unknown method",
                    found=repr(method),
                    expected=", ".join(get_args(JointName)),
                )
        duration(self.trailing)
        if not 0 < self.false_alarm < 1:
            raise ProjectError("a drift's false_alarm is a share", found=self.false_alarm, expected="above 0, below 1")

    @property
    def least(self) -> float:
        """The effect size in force of the first statistic."""
        return statistic_of(self.statistic).effect if self.effect is None else self.effect

    @property
    def statistics(self) -> tuple[StatisticName, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((self.statistic, *self.also)))

    @property
    def part(self) -> float:
        """The part of ``false_alarm`` that each statistic, and each look at all features together, may use up."""
        return self.false_alarm / (len(self.statistics) + len(set(self.joint)))


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """When performance on arrived labels counts as fallen.

    An alert needs the whole interval of the change to be worse than ``drop``, the uncertainty of the window and of the
    version's own evaluation both counted.

    Attributes:
        metric: The metric that stands for the objective; its fall is critical.
        drop: How much worse it must surely be, in its own units.
        also: Metric → drop for further metrics, whose fall is a warning. ROC AUC does not move with the base rate.
        calibration: Distance between mean prediction and share of positives that must surely be exceeded; none to leave
            it alone.
        min_labels: Labels below which nothing is judged.
        estimated: Whether performance is estimated while too few labels are there, and held against the same drops.
        concept: What follows the version's errors one by one as labels come, and says when they rose: ``adwin``, whose
            rate of false alarms is stated, ``page_hinkley`` or ``ddm``; nothing by default.
    """

    metric: str = "average_precision"
    drop: float = 0.05
    also: dict[str, float] = msgspec.field(default_factory=lambda: {"roc_auc": 0.03, "log_loss": 0.1})
    calibration: float | None = 0.05
    min_labels: int = 500
    estimated: bool = True
    concept: ConceptName | None = None

    def __post_init__(self) -> None:
        if self.concept is not None:
            check_detector(self.concept)
        for name, drop in [(self.metric, self.drop), *self.also.items()]:
            if metric_of(name).better not in {"greater", "lower"}:
                raise ProjectError(f"{name} can't fall: no way is better", expected="a metric with a better direction")
            if drop < 0:
                raise ProjectError(f"a drop in {name} can't be negative", found=drop)

    @property
    def drops(self) -> dict[str, float]:
        """Every metric judged → how much worse it must be."""
        return {self.metric: self.drop} | {name: drop for name, drop in self.also.items() if name != self.metric}


class Retrain(msgspec.Struct, kw_only=True, frozen=True):
    """When a new version is trained, and how it earns its place.

    Attributes:
        when: Alerts of which families call for retraining (warnings and critical ones; notes don't).
        every: Retrain after this long without, whatever the alerts say; never by default.
        cooldown: At least this long between two retrainings.
        shadow: How long a new version answers in the shadow of the champion before it may be promoted.
        budget: Retrainings in any thirty days; no bound by default.
    """

    when: Sequence[Trigger] = ("performance", "drift")
    every: str | None = None
    cooldown: str = "14d"
    shadow: str = "7d"
    budget: int | None = None

    def __post_init__(self) -> None:
        for trigger in self.when:
            if trigger not in get_args(Trigger):
                raise ProjectError(
                    "retraining waits for an unknown alert", found=repr(trigger), expected=", ".join(get_args(Trigger))
                )
        for text in (self.cooldown, self.shadow, *([self.every] if self.every is not None else [])):
            duration(text)

    @property
    def every_us(self) -> Micros | None:
        """``every`` in microseconds."""
        return None if self.every is None else duration(self.every)

    @property
    def cooldown_us(self) -> Micros:
        """``cooldown`` in microseconds."""
        return duration(self.cooldown)

    @property
    def shadow_us(self) -> Micros:
        """``shadow`` in microseconds."""
        return duration(self.shadow)


DECLARED = "declared"
"""The name of the rules as they stand, among those that are compared."""
STATIC = "static"
"""The name of the same rules without training anew."""


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """Other rules for an endpoint, to be compared with those that stand: what is left out stays as the monitor says.

    Attributes:
        drift: As of :class:`Monitor`.
        performance: As there.
        retrain: As there; none never trains anew.
    """

    drift: Drift | UnsetType | None = UNSET
    performance: Performance | UnsetType | None = UNSET
    retrain: Retrain | UnsetType | None = UNSET

    _repr_html_ = shown


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched on one endpoint.

    Attributes:
        endpoint: Its name.
        drift: Rules on inputs and predictions; none to leave them alone.
        performance: Rules on arrived labels; none to leave them alone.
        fairness: Rules on the answers to protected groups, where the model has any; none to leave them alone.
        segments: What is shown, and said, of the model's slices, window by window; nothing by default.
        business: What an answer is worth, and when it brings too little; nothing by default.
        attribution: When what moves the answers counts as another than it was; not looked at by default.
        latency_ms: The 99th percentile of answering time that must not be exceeded; no rule by default.
        core_hour: What an hour of a core costs, in any currency: reports then say what a thousand predictions cost, as
            if a core did nothing else while one is under way.
        retrain: What calls for a new version; never by default.
        rules: Rules of the project's own.
        sinks: Who is told besides the log and the catalog.
        runbooks: Rule, or family of rules (``performance``, ``drift``) → where it is written what to do. Rules of the
            project's own name theirs themselves.
        hold: Rule or family → for how long it must be broken before anybody is told, as :class:`Rule` has it.
        calm: How many windows in a row must keep a rule before its alert ends.
        window: How much prediction time one report covers: at least a day, or hours of the day would pass for drift.
        min_predictions: Predictions below which drift is not judged.
        alternatives: Other rules by name, for ``drivetrain replay --compare`` (``docs/policies.md``); they do nothing
            otherwise.
    """

    endpoint: str
    drift: Drift | None = Drift()
    performance: Performance | None = Performance()
    fairness: Fairness | None = Fairness()
    segments: Segments | None = None
    business: Business | None = None
    attribution: Attribution | None = None
    latency_ms: float | None = None
    core_hour: float | None = None
    retrain: Retrain | None = None
    rules: Sequence[Rule] = ()
    sinks: Sequence[Sink] = ()
    runbooks: Mapping[str, str] = {}
    hold: Mapping[str, str | int] = {}
    calm: int = 1
    window: str = "7d"
    min_predictions: int = 200
    alternatives: Mapping[str, Alternative] = {}

    _repr_html_ = shown

    def __post_init__(self) -> None:
        if self.window_us < DAY:
            raise ProjectError("a monitor's window is too short", found=self.window, expected="a day (1d) or longer")
        for name in {DECLARED, STATIC} & set(self.alternatives):
            raise ProjectError(f"no alternative can be called {name!r}", do="Give it another name: that is taken")
        if self.core_hour is not None and self.core_hour < 0:
            raise ProjectError("what a core costs can't be negative", found=self.core_hour)
        for rule in self.rules:
            if rule.metric is not None:
                check_path(rule.metric, MonitorReport)
        names = [rule.name for rule in self.rules]
        labels = [sink.label for sink in self.sinks]
        for noun, said in (("rules", names), ("sinks", labels)):
            twice = [name for name in dict.fromkeys(said) if said.count(name) > 1]
            if twice:
                raise ProjectError(
                    f"two {noun} of the monitor of {self.endpoint!r} go by one name",
                    found=repr(twice[0]),
                    do=f"Give one of the {noun} another name=",
                )
        if self.latency_ms is not None and "latency" in names:
            raise ProjectError(
                f"the monitor of {self.endpoint!r} has two rules called latency",
                do="Leave latency_ms out, or rename it",
            )
        for name, held in self.hold.items():
            if name in names:
                raise ProjectError(
                    f"how long rule {name!r} is held stands in the rule itself", do="Say Rule(…, hold=…)"
                )
            terms(held, self.calm)

    def by(self, name: str) -> Monitor:
        """The monitor by other rules: those of an alternative, ``declared``, or ``static``, which never trains anew.

        Raises:
            UnknownName: There is no such alternative.
        """
        if name == DECLARED:
            return self
        if name == STATIC:
            return msgspec.structs.replace(self, retrain=None)
        if name not in self.alternatives:
            raise UnknownName(
                f"the monitor of {self.endpoint!r} has no rules called {name!r}",
                expected=f"one of {', '.join((DECLARED, STATIC, *self.alternatives))}",
                do='Declare them: project.monitor(…, alternatives={"monthly": dt.Alternative(retrain=…)})',
            )
        said = msgspec.structs.asdict(self.alternatives[name])
        return msgspec.structs.replace(self, **{field: rule for field, rule in said.items() if rule is not UNSET})

    def terms_of(self, rule: str) -> Terms:
        """For how long a rule must be broken and kept, and its runbook."""
        own = next((one for one in self.rules if one.name == rule), None)
        if own is not None:
            return own.terms
        family = rule.partition(".")[0]
        held = self.hold.get(rule, self.hold.get(family, 1))
        return terms(held, self.calm, self.runbooks.get(rule, self.runbooks.get(family, "")))

    @property
    def window_us(self) -> Micros:
        """``window`` in microseconds."""
        return duration(self.window)
