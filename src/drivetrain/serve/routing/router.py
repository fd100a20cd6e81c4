"""A policy at work: every instance of a request goes one way, with a known probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Arm, Policy
from drivetrain.serve.instance import Row
from drivetrain.serve.plan import RequestField
from drivetrain.serve.routing.assignment import chosen, uniform
from drivetrain.serve.routing.best import LEAST_SHARE, floored, greatest


class Route(NamedTuple):
    """The way of one instance.

    Attributes:
        experiment: What chose it; empty where nothing had to be chosen.
        arm: The arm's name.
        probability: Of this choice.
        version: Who is to answer; 0 for whoever is champion.
    """

    experiment: str = ""
    arm: str = ""
    probability: float = 1.0
    version: int = 0


STRAIGHT = Route()
"""To the champion, with nothing to choose."""


class Router:
    """Chooses arms.

    Args:
        policy: The policy; not ``champion``.
        fields: Fields of the endpoint's requests.
        withheld: Those whose values the log does not keep.

    Raises:
        ProjectError: It goes by fields that requests don't have, or can't go by, or learns from ones the log does not
            keep.
    """

    def __init__(self, policy: Policy, fields: Sequence[RequestField], withheld: frozenset[str] = frozenset()) -> None:
        self.policy = policy
        self._unit = _places(policy, policy.unit, fields, "sticks to", {"string", "int", "bool", "date", "time"})
        self._context = _places(policy, policy.context, fields, "goes by", {"float", "int", "bool"})
        for field in fields:
            if field.name in policy.context and (
                field.privacy == "secret" or field.name in withheld or field.treat is not None
            ):
                raise ProjectError(
                    f"the policy of endpoint {policy.endpoint!r} learns from {field.name!r}",
                    found=f"a {field.privacy} field, which the log does not keep as it comes",
                    expected="fields that are kept",
                )
        self._shares = [arm.share for arm in policy.arms]
        self._arms = {arm.name: arm for arm in policy.arms}
        self._overrides: Mapping[str, str] = policy.overrides
        self._beliefs = [_Belief(arm, len(policy.context) + 1) for arm in policy.arms if policy.mode == "contextual"]

    def route(self, request_id: str, place: int, row: Row) -> Route:
        """The way of one instance: always the same for the same unit, or else for the same request sent again."""
        unit = "|".join([str(row[at]) for at in self._unit]) if self._unit else f"{request_id}/{place}"
        policy = self.policy
        if unit in self._overrides and (arm := self._arms.get(self._overrides[unit])) is not None:
            return Route(policy.experiment, arm.name, 1.0, arm.version)
        shares = self._by_context(row) if self._beliefs else self._shares
        place = chosen(shares, uniform(policy.experiment, unit))
        arm = policy.arms[place]
        return Route(policy.experiment, arm.name, shares[place], arm.version)

    def _by_context(self, row: Row) -> list[float]:
        context = [1.0, *(float(row[at] or 0.0) for at in self._context)]
        if not all(map(isfinite, context)) or not all(belief.mean for belief in self._beliefs):
            return self._shares
        means = [sum(map(float.__mul__, belief.mean, context)) for belief in self._beliefs]
        return floored(greatest(means, [belief.variance(context) for belief in self._beliefs]), LEAST_SHARE)


class _Belief:
    """What is known of the reward of an arm, linear in the context."""

    def __init__(self, arm: Arm, width: int) -> None:
        whole = len(arm.beliefs) == width + width * width
        self.mean = list(arm.beliefs[:width]) if whole else []
        self._covariance = [list(arm.beliefs[width * at : width * (at + 1)]) for at in range(1, width + 1)]

    def variance(self, context: Sequence[float]) -> float:
        """Of the mean reward in a context."""
        return max(
            0.0,
            sum(x * sum(map(float.__mul__, line, context)) for x, line in zip(context, self._covariance, strict=True)),
        )


def _places(
    policy: Policy, names: Sequence[str], fields: Sequence[RequestField], verb: str, types: set[str]
) -> list[int]:
    known = {field.name: (at, field.type) for at, field in enumerate(fields)}
    fit = ", ".join(name for name, (_, kind) in known.items() if kind in types)
    for name in names:
        if name not in known or known[name][1] not in types:
            raise ProjectError(
                f"the policy of endpoint {policy.endpoint!r} {verb} {name!r}",
                found=known[name][1] if name in known else "no such field in its requests",
                expected=f"one of {fit}" if fit else f"a field of type {', '.join(sorted(types))}; requests have none",
            )
    return [known[name][0] for name in names]
