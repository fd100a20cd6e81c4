"""Which versions answer an endpoint's requests, and how often each."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import UsageError
from drivetrain.core.records.base import Record

PolicyKind: TypeAlias = Literal["champion", "canary", "split", "thompson", "contextual"]


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One way a request can go.

    Attributes:
        name: Its name in the log and in figures.
        version: Who answers; 0 for whichever version is champion.
        share: Probability of a request to go this way, 0 to 1; where the context decides, while nothing is known yet.
        beliefs: What is known of its reward. ``thompson``: mean, variance of the mean, rewards seen. ``contextual``:
            the posterior's mean, then its covariance row after row.
    """

    name: str
    version: int = 0
    share: float = 0.0
    beliefs: tuple[float, ...] = ()


class Guardrail(msgspec.Struct, frozen=True, kw_only=True):
    """What a canary must not do.

    Attributes:
        metric: ``errors``: the share of its requests that somebody else had to answer; ``slow``: the share that took
            longer than ``micros``; ``loss``: the mean squared error of its predictions, above that of the champion's
            in the same time (for a probability of yes or no, the Brier score); ``outcome``: how far the mean label of
            the requests it was given lies on the worse side of the champion's: what the business gets out of it, such
            as a share of sales.
        at_most: The most that is borne.
        micros: For ``slow``, microseconds.
        lower: For ``outcome``, whether less is better.
    """

    metric: Literal["errors", "slow", "loss", "outcome"]
    at_most: float
    micros: int = 0
    lower: bool = False

    @classmethod
    def errors(cls, at_most: float) -> Guardrail:
        """At most this share of its requests may be left to others, because it failed or was too slow."""
        return cls(metric="errors", at_most=_share("errors", at_most))

    @classmethod
    def slow(cls, limit: str | Micros, at_most: float) -> Guardrail:
        """At most this share of its answers may take longer than a limit such as ``50ms``."""
        return cls(metric="slow", at_most=_share("slow answers", at_most), micros=duration(limit))

    @classmethod
    def loss(cls, at_most: float) -> Guardrail:
        """Its mean squared error may lie at most this much above the champion's, by the labels that come."""
        return cls(metric="loss", at_most=at_most)

    @classmethod
    def outcome(cls, at_most: float, *, better: Literal["higher", "lower"] = "higher") -> Guardrail:
        """Its mean label may lie at most this much on the worse side of the champion's."""
        return cls(metric="outcome", at_most=at_most, lower=better == "lower")


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """How a canary grows, and shrinks again where it is doubted.

    Attributes:
        began: When the canary got its first share; the policy's own ``at`` is when it got the present one.
        steps: Its shares, one after the other; behind the last it becomes champion.
        hold: How long a step takes at least, microseconds.
        least: Answers it must have given in a step; where there is a guardrail on ``loss`` or ``outcome``, ones with
            a label.
        guardrails: What it must not do.
        alpha: Probability that a canary which breaks no guardrail is ever taken for one that does.
        caution: Probability that a canary which breaks no guardrail is ever doubted; 0 for never to doubt one. Who is
            doubted steps down.
        doubted: When the doubt against it began; none if there has been none since it last grew.
    """

    began: Micros
    steps: tuple[float, ...]
    hold: Micros
    least: int
    guardrails: tuple[Guardrail, ...] = ()
    alpha: float = 0.05
    caution: float = 0.25
    doubted: Micros | None = None


class Policy(Record, frozen=True, kw_only=True):
    """The policy of an endpoint; a new one takes the place of the one before.

    Attributes:
        endpoint: Whose.
        mode: What kind of policy.
        experiment: Its name, and the salt of its assignment: two experiments assign independently.
        arms: Where requests may go; none where the champion answers all.
        unit: Fields of the request by which an assignment sticks; none assigns each instance by itself.
        context: Fields of the request that a contextual bandit goes by, numbers all.
        overrides: Unit, as text → the arm it always takes; for testing. Not part of any figure: its probability is 1.
        rollout: How a canary grows.
        reward: What bandits want more of: ``label``, or ``correct`` for predictions close to the label.
        because: Why, in a sentence.
        actor: Who.
    """

    kind = "policy"

    endpoint: str
    mode: PolicyKind = "champion"
    experiment: str = ""
    arms: tuple[Arm, ...] = ()
    unit: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    overrides: dict[str, str] = {}
    rollout: Rollout | None = None
    reward: Literal["label", "correct"] = "label"
    because: str = ""
    actor: str = ""

    @property
    def key(self) -> str:
        """The endpoint's name."""
        return self.endpoint

    @property
    def subject(self) -> str:
        """The endpoint's name."""
        return self.endpoint


def _share(what: str, share: float) -> float:
    if not 0 < share < 1:
        raise UsageError(f"a guardrail on {what} is a share", found=share, expected="more than 0 and less than 1")
    return share
