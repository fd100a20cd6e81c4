"""An endpoint's policy as its page tells it: who may answer, how often, and what moves that."""

from __future__ import annotations

from dataclasses import dataclass

from drivetrain.core.clock import SECOND
from drivetrain.core.records import Guardrail, Policy
from drivetrain.web.words import day, latency, share, span

_SAYS = {
    "canary": "A canary",
    "split": "A split",
    "thompson": "A bandit",
    "contextual": "A contextual bandit",
}


@dataclass(frozen=True)
class Told:
    """A policy in words.

    Attributes:
        policy: The policy.
        title: What it is.
        moves: Sentences on what changes the shares.
    """

    policy: Policy
    title: str
    moves: tuple[str, ...]


def told(policy: Policy | None) -> Told | None:
    """A policy in words; none where the champion answers everything."""
    if policy is None or policy.mode == "champion":
        return None
    by = f", by {' and '.join(policy.unit)}" if policy.unit else ""
    title = f"{_SAYS[policy.mode]} shares the requests{by}"
    return Told(policy, title, tuple(_moves(policy)))


def _moves(policy: Policy) -> list[str]:
    rollout = policy.rollout
    if policy.mode == "split":
        made = ["Shares stay as they are until somebody sets others."]
    elif rollout is None:
        made = ["Shares follow what each way has earned so far; each answer's probability is in the log."]
    else:
        steps = ", ".join(share(one) for one in rollout.steps)
        made = [
            f"It grows by itself: {steps}, then champion. A step takes {span(rollout.hold / SECOND)} and "
            f"{rollout.least:,} answers at least."
        ]
        if rollout.guardrails:
            made.append(f"It is ended as soon as it surely breaks one: {'; '.join(map(_limit, rollout.guardrails))}.")
            if rollout.caution:
                made.append("It steps down where it likely breaks one, and does not grow while that stands.")
        if rollout.doubted is not None:
            made.append(f"It has been doubted since {day(rollout.doubted)}.")
    if policy.overrides:
        many = len(policy.overrides)
        own = "1 unit always takes a way of its own" if many == 1 else f"{many} units always take ways of their own"
        made.append(f"{own}, for testing.")
    return made


def _limit(guardrail: Guardrail) -> str:
    if guardrail.metric == "errors":
        return f"at most {share(guardrail.at_most)} of its requests left to others"
    if guardrail.metric == "slow":
        return f"at most {share(guardrail.at_most)} of its answers slower than {latency(guardrail.micros)}"
    if guardrail.metric == "outcome":
        side = "above" if guardrail.lower else "below"
        return f"mean label at most {guardrail.at_most:g} {side} the champion's"
    return f"squared error at most {guardrail.at_most:g} above the champion's"
