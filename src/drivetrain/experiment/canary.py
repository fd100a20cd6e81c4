"""What becomes of a canary: it is held, grows, steps down, is promoted, or ended, on what its requests have shown."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import msgspec
import polars as pl

from drivetrain.core.clock import Micros, datetime_of, show_duration
from drivetrain.core.records import Guardrail, Policy, Rollout
from drivetrain.experiment.policies import CANARY
from drivetrain.experiment.sequential import Interval, difference, rate_above

State: TypeAlias = Literal["kept", "open", "doubted", "broken"]

_BY_LABEL = ("loss", "outcome")
BY_ANSWER = ("errors", "slow")
"""Guardrails that need no label: an answer alone tells."""
LABEL = "label"
"""Column of what came true; null where nothing has yet."""


class Found(msgspec.Struct, frozen=True):
    """What was found about one guardrail.

    Attributes:
        metric: Which.
        at_most: Its limit.
        state: ``broken`` and ``kept`` beyond chance, ``doubted`` where broken is likely and not sure, else ``open``.
        value: The canary's figure; for a loss or an outcome, how much worse it is than the champion's.
        of: On how many rows.
        words: The same in a sentence.
    """

    metric: str
    at_most: float
    state: State
    value: float
    of: int
    words: str


class Verdict(msgspec.Struct, frozen=True):
    """What to do, and why.

    Attributes:
        step: ``hold``, ``up`` to the next share, ``down`` to the one before, ``promote`` it, or ``end`` it.
        because: A sentence with the figures.
        found: What was found about each guardrail.
        share: The share after it.
    """

    step: Literal["hold", "up", "down", "promote", "end"]
    because: str
    found: tuple[Found, ...]
    share: float

    @property
    def doubts(self) -> bool:
        """Whether something likely speaks against it."""
        return any(one.state == "doubted" for one in self.found)


class _Levels(NamedTuple):
    """How often one guardrail may be taken for broken, and doubted, where it is kept."""

    alpha: float
    caution: float


def counts_against(rail: Guardrail) -> pl.Expr:
    """Which of a canary's answers a guardrail on errors or slow answers counts."""
    return pl.col("failed") != 0 if rail.metric == "errors" else pl.col("latency_us") > rail.micros


def state_of_rate(rail: Guardrail, rollout: Rollout, bad: int, of: int) -> State:
    """How a guardrail on errors or slow answers stands.

    Args:
        rail: The guardrail.
        rollout: The canary's, which says how many guardrails share the chance of an error.
        bad: How many answers counted against the canary.
        of: Of how many.
    """
    evidence, levels = rate_above(bad, of, rail.at_most), _levels(rollout)
    if evidence * levels.alpha >= 1.0:
        return "broken"
    return "doubted" if evidence * levels.caution >= 1.0 else "open"


def _levels(rollout: Rollout) -> _Levels:
    many = max(1, len(rollout.guardrails))
    return _Levels(rollout.alpha / many, rollout.caution / many)


def judge(policy: Policy, rollout: Rollout, rows: pl.DataFrame, now: Micros, since: Micros = 0) -> Verdict:
    """Looks at a canary; one may look as often as one likes.

    A loss and an outcome are held against the champion's, so that rows of a champion before it are none of theirs: of
    both arms only what came since it took its place is compared. That moment hangs on nothing in the rows behind it,
    so that their confidence sequence is as good as one from the beginning.

    Args:
        policy: Its policy.
        rollout: How it grows.
        rows: Every answer of its experiment: ``at``, ``arm``, ``probability``, ``failed``, ``latency_us``,
            ``prediction`` and ``label``.
        now: The moment.
        since: When the champion took its place.
    """
    share = next((arm.share for arm in policy.arms if arm.name == CANARY), 0.0)
    levels = _levels(rollout)
    beside = rows.filter(pl.col("at") >= datetime_of(since))
    found = tuple(
        _of(rail, rollout, beside if rail.metric in _BY_LABEL else rows, levels) for rail in rollout.guardrails
    )
    told = " ".join(one.words for one in found)
    if broken := [one for one in found if one.state == "broken"]:
        return Verdict("end", " ".join(one.words for one in broken), found, 0.0)
    if any(one.state == "doubted" for one in found):
        return _doubted(policy, rollout, found, share=share, now=now)
    mine = rows.filter(pl.col("arm") == CANARY, pl.col("at") >= datetime_of(policy.at))
    asks_labels = any(rail.metric in _BY_LABEL for rail in rollout.guardrails)
    done = mine[LABEL].count() if asks_labels else mine.height
    if now - policy.at < rollout.hold or done < rollout.least:
        wanted = f"{rollout.least} {'labelled ' if asks_labels else ''}answers and {show_duration(rollout.hold)}"
        return Verdict("hold", f"{done} answers at {share:.0%} so far; a step takes {wanted}. {told}", found, share)
    further = [step for step in rollout.steps if step > share + 1e-12]
    if further:
        return Verdict("up", f"{done} answers at {share:.0%}, no guardrail broken. {told}", found, further[0])
    if unsure := [one for one in found if one.metric in _BY_LABEL and one.state != "kept"]:
        return Verdict("hold", "Not sure yet: " + " ".join(one.words for one in unsure), found, share)
    return Verdict("promote", f"{done} answers at {share:.0%}, no guardrail broken. {told}", found, 1.0)


def _doubted(policy: Policy, rollout: Rollout, found: tuple[Found, ...], *, share: float, now: Micros) -> Verdict:
    """One step down at once, and one more for every hold through which the doubt stands; the first step is the last."""
    because = (
        f"{' '.join(one.words for one in found if one.state == 'doubted')} One that keeps its limits is doubted in "
        f"{rollout.caution:.0%} of cases at most, and ended in {rollout.alpha:.0%}."
    )
    lower = [step for step in rollout.steps if step < share - 1e-12]
    if lower and (rollout.doubted is None or now - policy.at >= rollout.hold):
        return Verdict("down", because, found, lower[-1])
    return Verdict("hold", because, found, share)


def _of(rail: Guardrail, rollout: Rollout, rows: pl.DataFrame, levels: _Levels) -> Found:
    if rail.metric == "loss":
        return _loss(rail, rollout, rows, levels)
    if rail.metric == "outcome":
        return _outcome(rail, rollout, rows, levels)
    mine = rows.filter(pl.col("arm") == CANARY)
    bad, of = mine.filter(counts_against(rail)).height, mine.height
    state = state_of_rate(rail, rollout, bad, of)
    what = "were left to others" if rail.metric == "errors" else f"took longer than {show_duration(rail.micros)}"
    told = {"broken": ", more than", "doubted": ", likely more than"}.get(state, "; borne are")
    words = f"{bad} of {of} {what}{told} {rail.at_most:.2%}."
    return Found(rail.metric, rail.at_most, state, bad / of if of else 0.0, of, words)


def _loss(rail: Guardrail, rollout: Rollout, rows: pl.DataFrame, levels: _Levels) -> Found:
    # What others answered in the canary's place is no answer of its own: it counts as an error.
    own = rows.filter(pl.col(LABEL).is_not_null(), pl.col("prediction").is_not_null(), pl.col("failed") == 0).sort("at")
    found = _worse(rail, rollout, own, (own["prediction"] - own[LABEL]) ** 2, levels)
    if found is None:
        return Found("loss", rail.at_most, "open", 0.0, 0, "No labels have come yet.")
    interval, state = found
    words = (
        f"Its mean squared error lies {interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}] from the "
        f"champion's, on {own.height} labels; borne is {rail.at_most:+.4f}."
    )
    return Found("loss", rail.at_most, state, interval.mean, own.height, words)


def _outcome(rail: Guardrail, rollout: Rollout, rows: pl.DataFrame, levels: _Levels) -> Found:
    # By who was to answer, whoever did: what is asked is what comes of giving requests to the canary.
    own = rows.filter(pl.col(LABEL).is_not_null()).sort("at")
    sign = 1.0 if rail.lower else -1.0
    found = _worse(rail, rollout, own, own[LABEL] * sign, levels)
    if found is None:
        return Found("outcome", rail.at_most, "open", 0.0, 0, "No labels have come yet.")
    interval, state = found
    low, high = sorted((interval.low * sign, interval.high * sign))
    words = (
        f"Its mean label lies {interval.mean * sign:+.4f} [{low:+.4f}, {high:+.4f}] from the champion's, on "
        f"{own.height} labels; borne is {rail.at_most * sign:+.4f}."
    )
    return Found("outcome", rail.at_most, state, interval.mean, own.height, words)


def _worse(
    rail: Guardrail, rollout: Rollout, own: pl.DataFrame, costs: pl.Series, levels: _Levels
) -> tuple[Interval, State] | None:
    """How much more the canary costs than the champion, and whether that is borne; none while either has no rows.

    The interval is the one that the state rests on: of a doubt, the narrower one.
    """
    treated = (own["arm"] == CANARY).cast(pl.Float64)
    few = int(min(treated.sum(), own.height - treated.sum()))
    if few < 2:
        return None
    expected = max(100, round(rollout.least / rollout.steps[0]))
    seen = costs.to_numpy(), treated.to_numpy(), own["probability"].to_numpy()
    sure = difference(*seen, alpha=levels.alpha, expected=expected)
    if few < min(rollout.least, 100):
        return sure, "open"
    if sure.low > rail.at_most:
        return sure, "broken"
    if levels.caution:
        likely = difference(*seen, alpha=levels.caution, expected=expected)
        if likely.low > rail.at_most:
            return likely, "doubted"
    return sure, "kept" if sure.high <= rail.at_most else "open"
