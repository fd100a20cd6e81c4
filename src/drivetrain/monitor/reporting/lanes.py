"""What one endpoint went through over a time, as lanes over one axis: drift, estimates, labels, alerts, versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, TypeAlias, get_args

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records import Decision, FeatureDrift, Measure, MonitorReport, Severity
from drivetrain.monitor.reporting.account import Account

Happening: TypeAlias = Literal["retrain", "register", "wait", "approve", "shadow", "promote", "refuse", "rollback"]

MOVES: tuple[Happening, ...] = get_args(Happening)
"""Decisions about versions, in the order in which those of one moment follow from each other."""
ENDS = ("promote", "refuse", "rollback")
"""Those after which it is settled who answers."""
FAMILIES = (
    "inputs",
    "drift",
    "estimated",
    "concept",
    "performance",
    "calibration",
    "segment",
    "fairness",
    "attribution",
    "business",
    "traffic",
    "latency",
    "rules",
)
"""Families of alerts in the order in which they tend to come; a project's own rules follow."""


class Drifted(msgspec.Struct, frozen=True, kw_only=True):
    """How strongly features drifted in a window.

    Attributes:
        since: Start of the window.
        until: Its end.
        drifted: How many features drifted.
        features: Of how many.
        furthest: The one that went furthest; empty where none was measured.
        statistic: Which statistic says so.
        value: What it says.
        ratio: The same as a multiple of its threshold: above 1 it drifted.
        outputs: Whether the predictions themselves drifted.
        against: Which rows it is held against.
    """

    since: Micros
    until: Micros
    drifted: int
    features: int
    furthest: str
    statistic: str
    value: float
    ratio: float
    outputs: bool
    against: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The metric in a window, three times; each is none where it is not known.

    Attributes:
        since: Start of the window.
        until: Its end.
        version: Who answered.
        estimated: As estimated without the window's labels.
        real: On the labels that have come.
        evaluated: When the version was evaluated.
        label_share: Share of the window's predictions whose label has come.
    """

    since: Micros
    until: Micros
    version: int
    estimated: Measure | None
    real: Measure | None
    evaluated: Measure | None
    label_share: float


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """An alert from where it opened to where it ended.

    Attributes:
        id: The alert's.
        rule: The rule that was broken.
        family: Its first part; ``own`` of a project's own rules.
        severity: How grave it was at its last.
        since: When it opened.
        until: When it ended; none while it is open.
        broken: Start of the first window that broke its rule.
        message: Its words.
    """

    id: str
    rule: str
    family: str
    severity: Severity
    since: Micros
    until: Micros | None
    broken: Micros
    message: str


class Reign(msgspec.Struct, frozen=True):
    """A version over a time; none of an end that lies outside of what is known."""

    version: int
    since: Micros | None
    until: Micros | None


class Mark(msgspec.Struct, frozen=True):
    """A decision about versions."""

    at: Micros
    what: Happening
    version: int | None
    words: str
    actor: str


class Lanes(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on one axis, oldest first.

    Attributes:
        endpoint: Whose story it is.
        metric: The metric of :attr:`figures`; empty where no window has one.
        since: Start of the axis.
        until: Its end.
        drift: Windows in which drift was measured.
        figures: Windows in which the metric was estimated or measured.
        alerts: By family, then by when they opened.
        answered: Which version answered.
        shadows: Which version answered in the shadow.
        marks: What was decided.
    """

    endpoint: str
    metric: str
    since: Micros
    until: Micros
    drift: tuple[Drifted, ...] = ()
    figures: tuple[Figure, ...] = ()
    alerts: tuple[Bar, ...] = ()
    answered: tuple[Reign, ...] = ()
    shadows: tuple[Reign, ...] = ()
    marks: tuple[Mark, ...] = ()


class _Moved(msgspec.Struct):
    """What a decision that moved an alias keeps as evidence."""

    alias: str = ""
    before: int | None = None
    after: int | None = None


_decode_moved = msgspec.json.Decoder(_Moved).decode


def lanes(account: Account) -> Lanes:
    """The lanes of an account; what it does not hold is left out."""
    moves = moved(account.decisions)
    until = _until(account, moves)
    return Lanes(
        endpoint=account.endpoint,
        metric=account.metric,
        since=account.since,
        until=until,
        drift=tuple(found for one in account.windows if (found := drift_of(one)) is not None),
        figures=tuple(_figures(account)),
        alerts=tuple(_bars(account)),
        answered=tuple(_answered(account.windows, moves)),
        shadows=tuple(_shadows(account.windows, moves)),
        marks=tuple(
            Mark(one.at, one.what, one.version, one.because, one.actor)  # type: ignore[arg-type]
            for one in moves
            if not left_shadow(one)
        ),
    )


def _until(account: Account, moves: Sequence[Decision]) -> Micros:
    """The end of the axis: what came since the last window, within another as long, has room on it."""
    room = account.until + max((one.until - one.since for one in account.windows), default=0)
    came = [one.at for one in (*account.alerts, *moves)] + [one.resolved or 0 for one in account.alerts]
    return max([account.until, *(at for at in came if at <= room)])


def moved(decisions: Sequence[Decision]) -> list[Decision]:
    """Decisions about versions, oldest first; of one moment those first that end a shadow, making room for more."""
    about = [one for one in decisions if one.what in MOVES]
    found: list[Decision] = []
    shadow: int | None = None
    for _, together in groupby(sorted(about, key=lambda one: one.at), key=lambda one: one.at):
        begun = shadow

        def place(one: Decision, begun: int | None = begun) -> tuple[bool, int, str]:
            closes = begun is not None and one.version == begun and (one.what in ENDS or left_shadow(one))
            return not closes, MOVES.index(one.what), one.id

        for one in sorted(together, key=place):
            if one.what == "shadow":
                shadow = None if left_shadow(one) else one.version
            elif one.what in ENDS and one.version == shadow:
                shadow = None
            found.append(one)
    return found


def left_shadow(decision: Decision) -> bool:
    """Whether a decision took the shadow away: what it follows from is told beside it."""
    return decision.what == "shadow" and _move_of(decision).after is None and _move_of(decision).before is not None


def ratio(drift: FeatureDrift) -> float:
    """A drift as a multiple of its threshold."""
    return drift.value / drift.threshold if drift.threshold > 0 else float(drift.drifted)


def drift_of(window: MonitorReport) -> Drifted | None:
    """How strongly a window's features drifted; none where that was not measured."""
    if not window.drift:
        return None
    worst = max(window.drift, key=ratio)
    return Drifted(
        since=window.since,
        until=window.until,
        drifted=sum(one.drifted for one in window.drift),
        features=len(window.drift),
        furthest=worst.feature,
        statistic=worst.statistic,
        value=worst.value,
        ratio=ratio(worst),
        outputs=window.output is not None and window.output.drifted,
        against=window.against,
    )


def family_of(rule: str) -> str:
    """The family of a rule; ``own`` of those that a project made itself."""
    first = rule.partition(".")[0]
    return first if first in FAMILIES else "own"


def _figures(account: Account) -> Iterator[Figure]:
    metric = account.metric
    for one in account.windows:
        if metric in one.estimated or metric in one.performance:
            yield Figure(
                since=one.since,
                until=one.until,
                version=one.version,
                estimated=one.estimated.get(metric),
                real=one.performance.get(metric),
                evaluated=one.reference.get(metric),
                label_share=one.label_share,
            )


def _bars(account: Account) -> list[Bar]:
    made = [
        Bar(
            id=one.id,
            rule=one.rule,
            family=family_of(one.rule),
            severity=one.severity,
            since=one.at,
            until=one.resolved,
            broken=one.since,
            message=one.message,
        )
        for one in account.alerts
        if one.shown
    ]
    order = {name: place for place, name in enumerate((*FAMILIES, "own"))}
    return sorted(made, key=lambda one: (order[one.family], one.since, one.rule, one.id))


def _answered(windows: Sequence[MonitorReport], moves: Sequence[Decision]) -> list[Reign]:
    """By the moments at which champions changed; by windows alone where those lie before the time."""
    found: list[Reign] = []
    for one in windows:
        if found and found[-1].version == one.version:
            found[-1] = Reign(one.version, found[-1].since, max(one.until, found[-1].until or 0))
        else:
            found.append(Reign(one.version, one.since, one.until))
    begun: dict[int, list[Micros]] = {}
    for move in moves:
        if move.what in {"promote", "rollback"} and move.version is not None:
            begun.setdefault(move.version, []).append(move.at)
    for place, reign in enumerate(found):  # a window tells who answers at its end; the decision tells since when
        before = found[place - 1] if place else None
        later = [at for at in begun.get(reign.version, []) if before is not None and at <= (reign.until or 0)]
        if before is not None and later and later[-1] >= (before.since or 0):
            found[place - 1] = Reign(before.version, before.since, later[-1])
            found[place] = Reign(reign.version, later[-1], reign.until)
    last = next((one for one in reversed(moves) if one.what in {"promote", "rollback"}), None)
    if found and last is not None and last.version not in {None, found[-1].version} and last.at >= windows[-1].until:
        found[-1] = Reign(found[-1].version, found[-1].since, last.at)
        found.append(Reign(last.version or 0, last.at, None))
    return found


def _shadows(windows: Sequence[MonitorReport], moves: Sequence[Decision]) -> list[Reign]:
    seen = {name.removeprefix("shadow v") for one in windows for name in one.shadow}
    found: list[Reign] = []
    begun: tuple[int, Micros] | None = None
    for one in moves:
        if one.what == "shadow" and one.version is not None and not left_shadow(one):
            if begun is not None and begun[0] != one.version:
                found.append(Reign(*begun, one.at))
            begun = (one.version, one.at)
        elif one.what in {"promote", "refuse", "shadow"} and one.version is not None:
            if begun is not None and begun[0] == one.version:
                found.append(Reign(*begun, one.at))
                begun = None
            elif str(one.version) in seen and not any(each.version == one.version for each in found):
                found.append(Reign(one.version, None, one.at))
    if begun is not None:
        found.append(Reign(*begun, None))
    return found


def _move_of(decision: Decision) -> _Moved:
    try:
        return _decode_moved(decision.evidence)
    except msgspec.DecodeError:
        return _Moved()
