"""How parameters are searched for: how long, for what, and which trial is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records.run import Scalar
from drivetrain.train.objectives import COSTS
from drivetrain.train.score import known


@dataclass(frozen=True)
class _Meaning:
    """What a search meant before it could do more: one that asks for no more means the same."""

    trials: int
    seconds: float | None
    metric: str | None
    rows: int
    seed: int | None


@dataclass(frozen=True)
class Tune:
    """How long to search, and for what.

    Trials learn from at most ``rows`` training rows, taken evenly over time. On flights (121,000 training rows, 20
    settings, each fitted five ways) half of the rows ranked the settings as all of them did: rank correlation with
    slow, fine fits on every row .46 against .47, at under half the cost; a quarter, .31. Even the fine fits' ranking
    says little of the next month (.24): the luck of the validation window limits the search, not the rows.

    Args:
        trials: How many settings are tried.
        seconds: Start no further trial after this much tuning; the result then depends on the machine's speed.
        metric: What is compared, on the validation rows; the one that suits the label by default, such as
            ``average_precision`` of a yes or no, ``log_loss`` of classes, ``mae`` of a number.
        rows: Most training rows a trial learns from.
        seed: The search's seed; the fit's own if none.
        objectives: Several things to search for at once: a metric first, which takes the place of ``metric``, then
            more metrics, ``"latency"`` (microseconds of a row, by the engine that would serve the model, on the machine
            that trains) or ``"size"`` (bytes of what would be served). No trial is given up early then: one that is not
            whole has no latency to compare.
        within: Of several objectives: how far from the best metric a trial may be, as a share of it, to be taken for
            what it saves.
        then: Of several objectives: which of the near-best is taken, the best in this one; by default the second.
        trial_seconds: A trial that takes longer is stopped, and has failed. Work within one call of a library that
            never returns to Python is stopped only when it does.
        warm: Try first what the champion's search found best.
        enqueue: Parameters to try first; what one leaves out is chosen as the search sees fit.
        enqueued_from: Ref of the run that they come from; filled in where the search is warm.

    Raises:
        UsageError: A figure, or an objective, is impossible.

    Example:
        >>> Tune(trials=30, objectives=["roc_auc", "latency"]).judged_by("average_precision")
        ('roc_auc', 'latency')
    """

    trials: int = 30
    seconds: float | None = None
    metric: str | None = None
    rows: int = 40_000
    seed: int | None = None
    objectives: Sequence[str] = ()
    within: float = 0.01
    then: str | None = None
    trial_seconds: float | None = None
    warm: bool = False
    enqueue: Sequence[Mapping[str, Scalar]] = ()
    enqueued_from: str = ""

    _repr_html_ = shown

    def __post_init__(self) -> None:
        """Checks the figures at the door."""
        if self.trials < 1:
            raise UsageError("tuning needs a trial", found=self.trials, expected="1 or more")
        if self.rows < 1:
            raise UsageError("tuning needs rows", found=self.rows, expected="1 or more")
        if self.trial_seconds is not None and not self.trial_seconds > 0:
            raise UsageError("a trial needs time", found=self.trial_seconds, expected="more than 0 seconds")
        if not 0 <= self.within < 1:
            raise UsageError("within= is a share of the best metric", found=self.within, expected="0 or more, below 1")
        object.__setattr__(self, "objectives", tuple(self.objectives))
        object.__setattr__(self, "enqueue", tuple(dict(each) for each in self.enqueue))
        self._check_objectives()

    def _check_objectives(self) -> None:
        if self.objectives and self.objectives[0] in COSTS:
            raise UsageError(
                "the first objective is how good the model is", found=self.objectives[0], expected="a metric"
            )
        if len(set(self.objectives)) < len(self.objectives):
            raise UsageError("an objective is named twice", found=", ".join(self.objectives))
        if self.metric is not None and self.objectives and self.metric != self.objectives[0]:
            raise UsageError(
                "tuning is given two metrics", found=f"{self.metric} and {self.objectives[0]}", do="Leave metric= out"
            )
        for name in (*([self.metric] if self.metric else []), *self.objectives):
            if name not in COSTS:
                known(name)
        if self.then is not None and self.then not in self.objectives:
            raise UsageError(
                "then= names no objective", found=self.then, expected=", ".join(self.objectives) or "none is declared"
            )

    @property
    def compared(self) -> str | None:
        """The metric that is asked for; none where the label's kind decides."""
        return self.objectives[0] if self.objectives else self.metric

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that is asked for."""
        named = (*([self.metric] if self.metric else []), *self.objectives)
        return tuple(dict.fromkeys(name for name in named if name not in COSTS))

    def judged_by(self, metric: str) -> tuple[str, ...]:
        """What trials are compared by, the metric first: ``metric`` alone where no objectives are declared."""
        return tuple(self.objectives) or (metric,)

    @property
    def counts_next(self) -> str:
        """Of the trials that are nearly the best, the best in this is taken."""
        return self.then or self.objectives[min(1, len(self.objectives) - 1)] if self.objectives else ""

    @property
    def meaning(self) -> object:
        """What it does, to be digested: that of a search which asks for nothing new is what it was."""
        old = _Meaning(self.trials, self.seconds, self.metric, self.rows, self.seed)
        given = {field.name: getattr(self, field.name) for field in fields(self)[len(fields(old)) :]}
        usual = {field.name: field.default for field in fields(self)}
        asked = {name: value for name, value in given.items() if value != usual[name]}
        return [old, asked] if asked else old
