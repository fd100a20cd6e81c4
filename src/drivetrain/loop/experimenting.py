"""The experiments that were under way in a window, arm by arm, beside what their guardrails allow."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import show_duration
from drivetrain.core.records import ArmSeen, ExperimentSeen, Guardrail, Policy
from drivetrain.evaluate.wording import percent
from drivetrain.experiment.policies import CANARY, CONTROL
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.grouping import Window
from drivetrain.monitor.labels import LABEL
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Assessment
from drivetrain.monitor.worth.measuring import mean_worth

_MOST = 5
"""Experiments of a window that are shown, the largest."""


def with_experiments(project: Definitions, monitor: Monitor, assessment: Assessment, window: Window) -> Assessment:
    """An assessment with the experiments of its window; what becomes of them is decided elsewhere, and at once.

    Args:
        project: Whose endpoint it is.
        monitor: What is watched.
        assessment: The window so far.
        window: Its answers, those of every arm.
    """
    rows = window.every
    if "experiment" not in rows.columns:
        return assessment
    drawn = rows.filter(pl.col("experiment").fill_null("") != "", pl.col("role") != "shadow")
    if drawn.is_empty():
        return assessment
    policy = project.store.catalog.get(Policy, monitor.endpoint)
    sizes = drawn["experiment"].value_counts().sort(["count", "experiment"], descending=[True, False])
    seen = [
        _seen(name, of_chance(drawn.filter(pl.col("experiment") == name), name, policy), policy)
        for name in sizes["experiment"][:_MOST]
    ]
    return Assessment(replace(assessment.report, experiments=tuple(seen)), assessment.findings)


def of_chance(rows: pl.DataFrame, experiment: str, policy: Policy | None) -> pl.DataFrame:
    """Answers of an experiment less those of overrides, whose probability is 1; so may be that of a split's only arm.

    Where the policy is not in force any more, and with it its overrides, what is certain is taken for an override
    unless everything is.
    """
    if policy is not None and policy.experiment == experiment and not policy.overrides:
        return rows
    drawn = rows.filter(pl.col("probability") < 1.0)
    return rows if drawn.is_empty() else drawn


def kept_experiments(old: Sequence[ExperimentSeen], fresh: Sequence[ExperimentSeen]) -> tuple[ExperimentSeen, ...]:
    """Experiments of a window seen again, with what was known of their policies when they were under way.

    Args:
        old: As they were seen then.
        fresh: As they are seen by the policy in force today.
    """
    before = {one.experiment: one for one in old if one.mode}
    return tuple(
        replace(one, mode=known.mode, guardrails=known.guardrails, arms=_kept_arms(known, one))
        if (known := before.get(one.experiment)) is not None
        else one
        for one in fresh
    )


def _kept_arms(old: ExperimentSeen, fresh: ExperimentSeen) -> tuple[ArmSeen, ...]:
    versions = {arm.name: arm.version for arm in old.arms}
    return tuple(replace(arm, version=versions.get(arm.name, arm.version)) for arm in fresh.arms)


def _seen(name: str, rows: pl.DataFrame, policy: Policy | None) -> ExperimentSeen:
    standing = policy if policy is not None and policy.experiment == name else None
    versions = {arm.name: arm.version for arm in standing.arms} if standing is not None else {}
    arms = rows["arm"].unique().sort().to_list()
    beside = _beside(rows) if set(arms) <= {CANARY, CONTROL} else rows
    rails = standing.rollout.guardrails if standing is not None and standing.rollout is not None else ()
    return ExperimentSeen(
        experiment=name,
        mode="" if standing is None else standing.mode,
        arms=tuple(
            _arm(arm, rows.filter(pl.col("arm") == arm), beside.filter(pl.col("arm") == arm), versions.get(arm))
            for arm in arms
        ),
        guardrails=tuple(_words(rail) for rail in rails),
    )


def _beside(rows: pl.DataFrame) -> pl.DataFrame:
    """Answers of a canary's experiment since its newest champion answered first: what the two are held together on."""
    control = rows.filter(pl.col("arm") == CONTROL, pl.col("failed") == 0)
    since = control.group_by("version").agg(pl.col("at").min())["at"].max()
    return rows if since is None or control["version"].n_unique() < 2 else rows.filter(pl.col("at") >= since)


def _arm(name: str, rows: pl.DataFrame, beside: pl.DataFrame, version: int | None) -> ArmSeen:
    """One arm; its version is told by who answered for it, else by the policy in force."""
    labels = beside[LABEL].cast(pl.Float64)
    slow = rows["latency_us"].cast(pl.Float64).quantile(0.99, interpolation="linear")
    own = rows.filter(pl.col("failed") == 0, pl.col("role") == "challenger")["version"].mode().sort()
    return ArmSeen(
        name=name,
        version=int(own[-1]) if len(own) else version or 0,
        answers=rows.height,
        failed=rows.filter(pl.col("failed") != 0).height / max(rows.height, 1),
        latency_p99_us=0.0 if slow is None else float(slow),
        labelled=int(labels.count()),
        label=mean_worth(labels.fill_null(float("nan")).to_numpy(), beside["at"].cast(pl.Int64).to_numpy(), 1),
    )


def _words(rail: Guardrail) -> str:
    """A guardrail in words.

    Example:
        >>> _words(Guardrail.slow("50ms", 0.05))
        'at most 5 % slower than 50ms'
    """
    if rail.metric == "errors":
        return f"at most {percent(rail.at_most)} left to others"
    if rail.metric == "slow":
        return f"at most {percent(rail.at_most)} slower than {show_duration(rail.micros)}"
    if rail.metric == "loss":
        return f"a mean squared error at most {rail.at_most:g} above the champion's"
    return f"a mean label at most {rail.at_most:g} {'above' if rail.lower else 'below'} the champion's"
