"""How good alerts are: how many, how useful, how soon somebody looked, how often they flapped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import msgspec

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.records import Alert, Measure

FLAPPING = 2
"""An alert that opens within so many of its windows after it ended has flapped."""
LEVEL = 0.95


class AlertQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How good the alerts of one rule were, on every endpoint or one.

    Attributes:
        rule: The rule; empty for all together.
        opened: How many opened.
        open: How many are open.
        told: How many people were told of.
        useful: How many a person called useful.
        noise: How many a person called noise.
        precision: Share of those judged that were useful, with Wilson's interval; none where none was judged.
        acknowledged: How many a person acknowledged, or ended by hand.
        seconds_to_acknowledge: Half were within so many seconds after they were told; none where nobody did.
        hours_open: Half of those that ended were open for so many hours of watched time; none where none ended.
        flaps: How many opened within two of their windows after they had ended.
        silenced: Share of those opened that a silence kept from people.
        passed: How many broke their rule, but not for as long as it must be held.
    """

    rule: str
    opened: int
    open: int
    told: int
    useful: int
    noise: int
    precision: Measure | None
    acknowledged: int
    seconds_to_acknowledge: float | None
    hours_open: float | None
    flaps: int
    silenced: float
    passed: int

    @property
    def words(self) -> str:
        """What there is to say of it, a sentence."""
        if not self.opened:
            return "Nothing was told yet."
        judged = self.useful + self.noise
        if not judged:
            return "Nobody has said whether these were useful: drivetrain resolve ALERT --useful or --noise."
        assert self.precision is not None
        low, high = self.precision.low or 0.0, self.precision.high or 0.0
        verdict = "Most were noise: raise its bound, or how long it is held." if high < 0.5 else ""
        share = f"{self.useful} of {judged} judged were useful ({low:.0%} to {high:.0%})."
        flapping = " It flaps: let it be calm for longer." if self.flaps * 3 > self.opened else ""
        return f"{share} {verdict}{flapping}".strip()


def quality(alerts: Sequence[Alert]) -> list[AlertQuality]:
    """All rules together, then each, the one that opened most first.

    Example:
        >>> seen = [Alert(id=str(at), endpoint="late", rule="slow", message="", state="resolved", at=at, useful=at < 3)
        ...     for at in range(4)]
        >>> [(one.rule, one.opened, one.precision.value) for one in quality(seen)]
        [('', 4, 0.75), ('slow', 4, 0.75)]
    """
    rules: dict[str, list[Alert]] = {}
    for alert in alerts:
        rules.setdefault(alert.rule, []).append(alert)
    each = [_of(rule, found) for rule, found in rules.items()]
    flaps = sum(one.flaps for one in each)
    together = msgspec.structs.replace(_of("", alerts), flaps=flaps)
    return [together, *sorted(each, key=lambda one: (-one.opened, one.rule))]


def wilson(successes: int, trials: int) -> Measure | None:
    """A share with its interval (Wilson 1927): it holds for few trials, and for shares near 0 or 1.

    Example:
        >>> found = wilson(9, 10)
        >>> round(found.low, 3), round(found.high, 3)
        (0.596, 0.982)
    """
    if not trials:
        return None
    z = 1.959963984540054
    share = successes / trials
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Measure(share, max(0.0, middle - half), min(1.0, middle + half), trials, LEVEL)


def flapped(alerts: Sequence[Alert]) -> int:
    """How many of a rule's alerts opened soon after the one before them on the endpoint had ended."""
    count = 0
    ended: dict[str, Micros] = {}
    for alert in sorted((one for one in alerts if one.shown), key=lambda one: one.at):
        before = ended.get(alert.endpoint)
        count += before is not None and alert.at - before <= FLAPPING * max(alert.window, 1)
        ended.pop(alert.endpoint, None)
        if alert.resolved is not None and not alert.because:  # one that a person ended may well open again
            ended[alert.endpoint] = alert.resolved
    return count


def _of(rule: str, alerts: Sequence[Alert]) -> AlertQuality:
    shown = [one for one in alerts if one.shown]
    useful, noise = sum(one.useful is True for one in shown), sum(one.useful is False for one in shown)
    seen = [one for one in shown if one.acknowledged is not None]
    waits = [
        (one.acknowledged - one.told) / SECOND
        for one in seen
        if one.acknowledged is not None and one.told is not None and one.acknowledged >= one.told
    ]
    lengths = [(one.resolved - one.at) / (3600 * SECOND) for one in shown if one.resolved is not None]
    return AlertQuality(
        rule=rule,
        opened=len(shown),
        open=sum(one.state == "open" for one in shown),
        told=sum(bool(one.peak) for one in shown),
        useful=useful,
        noise=noise,
        precision=wilson(useful, useful + noise),
        acknowledged=len(seen),
        seconds_to_acknowledge=median(waits) if waits else None,
        hours_open=median(lengths) if lengths else None,
        flaps=flapped(alerts) if rule else 0,
        silenced=sum(bool(one.silence) for one in shown) / max(len(shown), 1),
        passed=sum(one.state == "passed" for one in alerts),
    )
