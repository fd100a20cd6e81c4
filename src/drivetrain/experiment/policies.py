"""Policies as a person says them; what is said becomes the record that every worker follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from drivetrain.core.clock import HOUR, Micros, duration, iso
from drivetrain.core.errors import UsageError
from drivetrain.core.notebook import shown
from drivetrain.core.records import Arm, Guardrail, Policy, Rollout

CANARY, CONTROL = "canary", "champion"
"""Arms of a canary."""
_DOUBTFUL = 0.5
"""What is as likely as not is no evidence."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A version that gets a growing share of requests, and all of them if nothing is found against it.

    It grows when it has held a step for ``hold`` and given ``least`` answers, and becomes champion behind the last; a
    guardrail on loss must then be known to be kept. A guardrail that is broken beyond chance ends it at once. Weaker
    evidence is a doubt: the canary goes one step down, one more after each further ``hold``, and does not grow while
    the doubt stands.

    Attributes:
        version: The version.
        steps: Its shares, growing.
        hold: How long a step takes at least.
        least: Answers in a step; ones with a label where a guardrail is on loss.
        guardrails: What it must not do; the empty tuple for nothing.
        unit: Fields by which an assignment sticks; by request if there are none.
        overrides: Unit as text → the arm it always meets, ``canary`` or ``champion``; counted in no figure.
        alpha: Probability to end a canary that breaks no guardrail, however long it runs and however often one looks.
        caution: Probability ever to doubt one that breaks none; 0 for never to step down.
    """

    version: int
    steps: tuple[float, ...] = (0.05, 0.25, 0.5)
    hold: str | Micros = HOUR
    least: int = 200
    guardrails: tuple[Guardrail, ...] = field(default_factory=lambda: (Guardrail.errors(0.01),))
    unit: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    alpha: float = 0.05
    caution: float = 0.25

    _repr_html_ = shown

    def policy(self, endpoint: str, at: Micros) -> Policy:
        """The record.

        Raises:
            UsageError: It names no version; the steps don't grow, or are no shares; an override names no arm; or doubts
                are rarer than endings.
        """
        steps = tuple(self.steps)
        if self.version < 1:
            raise UsageError("a canary needs a version", found=self.version, do="Give one with --version")
        _check_overrides(self.overrides, (CANARY, CONTROL))
        if not steps or list(steps) != sorted(set(steps)) or not 0 < steps[0] <= steps[-1] < 1:
            raise UsageError(
                "a canary's steps are shares that grow", found=str(steps), expected="such as (0.05, 0.25, 0.5)"
            )
        if self.caution and not self.alpha <= self.caution <= _DOUBTFUL:
            raise UsageError(
                "a canary's caution is a probability",
                found=self.caution,
                expected=f"{self.alpha:g} (at which it is ended) to {_DOUBTFUL:g}, or 0 for never to step down",
            )
        return Policy(
            at=at,
            endpoint=endpoint,
            mode="canary",
            experiment=f"canary-v{self.version}@{iso(at)}",
            arms=canary_arms(self.version, steps[0]),
            unit=tuple(self.unit),
            overrides=dict(self.overrides),
            rollout=Rollout(
                began=at,
                steps=steps,
                hold=duration(self.hold),
                least=self.least,
                guardrails=tuple(self.guardrails),
                alpha=self.alpha,
                caution=self.caution,
            ),
        )


def canary_arms(version: int, share: float) -> tuple[Arm, ...]:
    """A canary's arms at one step."""
    # The canary comes first: as its share grows, whoever met it meets it again.
    return (Arm(name=CANARY, version=version, share=share), Arm(name=CONTROL, share=1.0 - share))


@dataclass(frozen=True, kw_only=True)
class Split:
    """An A/B test: each unit always meets the same arm.

    Attributes:
        experiment: Its name; another name shuffles units anew.
        arms: Arm → version, or ``None`` for whichever is champion.
        shares: Arm → share; equal ones if there are none.
        unit: Fields by which an assignment sticks.
        overrides: Unit as text → the arm it always meets.
    """

    experiment: str
    arms: Mapping[str, int | None]
    shares: Mapping[str, float] = field(default_factory=dict)
    unit: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)

    _repr_html_ = shown

    def policy(self, endpoint: str, at: Micros) -> Policy:
        """The record.

        Raises:
            UsageError: Shares don't add up, or something names an arm that is none.
        """
        shares = self.shares or dict.fromkeys(self.arms, 1.0 / max(1, len(self.arms)))
        if len(self.arms) < 2 or shares.keys() != self.arms.keys() or abs(sum(shares.values()) - 1.0) > 1e-9:
            raise UsageError(
                f"experiment {self.experiment!r} does not part its requests",
                found=f"arms {', '.join(self.arms) or 'none'}; shares {dict(shares)}",
                expected="two arms or more, and a share for each that add up to 1",
            )
        _check_overrides(self.overrides, self.arms)
        arms = tuple(Arm(name=name, version=number or 0, share=shares[name]) for name, number in self.arms.items())
        return Policy(
            at=at,
            endpoint=endpoint,
            mode="split",
            experiment=self.experiment,
            arms=arms,
            unit=tuple(self.unit),
            overrides=dict(self.overrides),
        )


@dataclass(frozen=True, kw_only=True)
class Bandit:
    """Arms that earn their shares: each gets requests as probable as it is that it is the best (Thompson sampling).

    Attributes:
        experiment: Its name.
        arms: Arm → version, or ``None`` for whichever is champion.
        context: Numeric fields of the request by which the best arm may differ; none looks for one best arm.
        unit: Fields by which an assignment sticks while shares stay as they are.
        overrides: Unit as text → the arm it always meets; nothing is learned from it.
        reward: ``label``: the label itself, such as a sale; ``correct``: 1 less the distance of prediction and label.
    """

    experiment: str
    arms: Mapping[str, int | None]
    context: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    reward: Literal["label", "correct"] = "label"

    _repr_html_ = shown

    def policy(self, endpoint: str, at: Micros) -> Policy:
        """The record; raises as :meth:`Split.policy`."""
        split = Split(experiment=self.experiment, arms=self.arms, unit=self.unit, overrides=self.overrides).policy(
            endpoint, at
        )
        return Policy(
            at=at,
            endpoint=endpoint,
            mode="contextual" if self.context else "thompson",
            experiment=split.experiment,
            arms=split.arms,
            unit=split.unit,
            context=tuple(self.context),
            overrides=split.overrides,
            reward=self.reward,
        )


def _check_overrides(overrides: Mapping[str, str], arms: Iterable[str]) -> None:
    if strange := set(overrides.values()) - set(arms):
        raise UsageError("an override names no arm", found=", ".join(sorted(strange)), expected=", ".join(arms))


Asked: TypeAlias = Canary | Split | Bandit
"""What an endpoint may be asked to do; nothing is to have the champion answer all."""
