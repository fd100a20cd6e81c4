"""The policy of an endpoint: set by a person, and moved on by what its requests have shown."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import polars as pl

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.clock import now as present
from drivetrain.core.errors import Conflict, GateRefused, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision, Link, Policy, Rollout
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.experiment.canary import LABEL as TRUTH
from drivetrain.experiment.canary import Verdict, judge
from drivetrain.experiment.learning import learned
from drivetrain.experiment.policies import Asked, canary_arms
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.keys import check_signed
from drivetrain.loop.serving_plan import plan_of
from drivetrain.monitor.labels import LABEL, join_labels
from drivetrain.registry.aliases import current, find_version, point, reigns_since
from drivetrain.serve.log.columns import FEEDBACK, PREDICTIONS, feedback_table, predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.serve.routing.router import Router
from drivetrain.serve.treating import RequestTreating

_MOVED = 0.005
"""Shares that move less are left as they are: every change is a write that each worker reads."""
_READ = ("request_id", "row", "entity", "at", "arm", "probability", "failed", "latency_us", "prediction")
"""What is read of an answer."""
_LABELS = ("endpoint", "request_id", "row", "entity", "label", "names", "at", "logged_at")
_ON = ("hold", "up", "down")
"""Steps after which a canary goes on."""


def route(
    project: Definitions, endpoint: Endpoint, asked: Asked | None, *, because: str, actor: str, at: Micros | None = None
) -> Policy:
    """Sets an endpoint's policy; every worker follows it within a second.

    Args:
        project: Whose endpoint it is.
        endpoint: The endpoint.
        asked: The policy; none to have the champion answer everything.
        because: Why, in a sentence; kept for good.
        actor: Who.
        at: The moment it is dated; the present by default.

    Raises:
        UsageError: No reason is given, the policy contradicts itself, or its canary is the champion.
        UnknownName: It names a version that is not there.
        GateRefused: It names one whose gates refused it.
        SignatureRefused: It names one that no server would load.
        ProjectError: It goes by fields that the endpoint's requests don't have, or an override names a unit by a field
            that is masked, truncated or the like.
        SettingsError: The key of a pseudonym that an override names is not where it was said to be.
    """
    if not because.strip():
        raise UsageError(f"routing {endpoint.name} another way needs a reason", do="Say why in a sentence")
    at = present() if at is None else at
    policy = Policy(endpoint=endpoint.name, at=at) if asked is None else asked.policy(endpoint.name, at)
    for arm in policy.arms:
        if arm.version:
            version = find_version(project.store, endpoint.model.name, arm.version)
            if not version.gates.passed:
                raise GateRefused(
                    f"{version.key} may not answer requests",
                    found="; ".join(version.gates.refusals),
                    do="Train a better one; its shadow may listen in meanwhile",
                )
            check_signed(project, version)
            if policy.mode == "canary" and current(project.store, endpoint.model.name).get("champion") == arm.version:
                raise UsageError(
                    f"{version.key} is champion: it has nobody to be held against", do="Name another version"
                )
    if policy.mode != "champion":
        plan = plan_of(endpoint)
        Router(policy, plan.fields, plan.withheld)
        if policy.overrides:
            # Rows come to the router treated; and what stands in a policy and its decision is kept for good.
            treating = RequestTreating(plan, KeyRing(project.store.catalog, project.folder))
            units = {treating.unit(policy.unit, unit): arm for unit, arm in policy.overrides.items()}
            policy = msgspec.structs.replace(policy, overrides=units)
    policy = msgspec.structs.replace(policy, because=because, actor=actor)
    store = project.store
    decision = _decision(policy, because, evidence=msgspec.json.encode(policy).decode())
    store.catalog.commit(policy, decision, links=_links(policy, endpoint))
    return policy


def follow_policy(project: Definitions, endpoint: Endpoint, now: Micros, *, growing: bool = True) -> list[Decision]:
    """One look at an endpoint's policy: a canary is held, grows, steps down, is promoted or ended; a bandit learns.

    Somebody who changes the policy meanwhile is not overruled.

    Args:
        project: Whose endpoint it is.
        endpoint: The endpoint.
        now: The moment.
        growing: Whether a canary may get more requests by this look; it may always get fewer.
    """
    store = project.store
    policy = store.catalog.get(Policy, endpoint.name)
    if policy is None or policy.mode in {"champion", "split"}:
        return []
    champion = f"alias:{endpoint.model.name}:champion"
    expect = {ref: store.catalog.record_revision(ref) for ref in (policy.ref, champion)}
    since = reigns_since(store, endpoint.model.name)
    compact(store, project.log_folder, endpoint.name)
    rows = _rows(project, endpoint, policy)
    try:
        if policy.mode == "canary" and policy.rollout is not None:
            verdict = judge(policy, policy.rollout, rows, now, since)
            if verdict.step in {"up", "promote"} and not growing:
                return []
            return _step(project, endpoint, policy, policy.rollout, (verdict, expect, now))
        if not rows.height:
            return []
        arms = learned(policy, rows)
        moved = max(abs(new.share - old.share) for new, old in zip(arms, policy.arms, strict=True))
        if moved >= _MOVED or (policy.mode == "contextual" and arms != policy.arms):
            fresh = msgspec.structs.replace(policy, arms=arms, at=now, because="What has been learned.", actor="loop")
            store.catalog.commit(fresh, expect={policy.ref: expect[policy.ref]})
    except Conflict:
        pass
    return []


def _step(
    project: Definitions,
    endpoint: Endpoint,
    policy: Policy,
    rollout: Rollout,
    seen: tuple[Verdict, Mapping[str, int], Micros],
) -> list[Decision]:
    verdict, expect, now = seen
    store, mine = project.store, {policy.ref: expect[policy.ref]}
    if verdict.step == "hold" and not (verdict.doubts and rollout.doubted is None):
        return []
    version = max(arm.version for arm in policy.arms)
    words = _words(verdict, version)
    fresh = _moved(policy, rollout, verdict, now) if verdict.step in _ON else Policy(endpoint=policy.endpoint, at=now)
    fresh = msgspec.structs.replace(fresh, because=words, actor="loop")
    decision = _decision(fresh, words, at=now, version=version, evidence=msgspec.json.encode(verdict).decode())
    if verdict.step != "promote":
        store.catalog.commit(fresh, decision, links=_links(fresh, endpoint), expect=mine)
        return [decision]
    # The endpoint may go by the model's name: its own decision is told once.
    known = {decision.id, *(one.id for one in store.catalog.find(Decision, endpoint.model.name))}
    # Who ended it meanwhile has seen what this look has not; a champion that came meanwhile was never held against it.
    point(store, endpoint.model.name, "champion", version, because=words, actor="loop", at=now, expect=expect)
    # The policy goes last: until then its canary and the new champion are the same version.
    store.catalog.commit(fresh, decision, links=_links(fresh, endpoint), expect=mine)
    made = [one for one in store.catalog.find(Decision, endpoint.model.name) if one.id not in known]
    return [*reversed(made), decision]


def _moved(policy: Policy, rollout: Rollout, verdict: Verdict, now: Micros) -> Policy:
    """The policy of a canary that goes on; a doubt is kept until it grows again, so that it is told once."""
    since = None if verdict.step == "up" else now if rollout.doubted is None else rollout.doubted
    return msgspec.structs.replace(
        policy,
        arms=canary_arms(max(arm.version for arm in policy.arms), verdict.share),
        at=policy.at if verdict.step == "hold" else now,
        rollout=msgspec.structs.replace(rollout, doubted=since),
    )


def answers_of(
    project: Definitions, endpoint: Endpoint, policy: Policy, version: int | None = None
) -> pl.LazyFrame | None:
    """Compacted answers of the policy's experiment, those of overrides aside; none where there is no such table yet.

    Args:
        project: Whose endpoint it is.
        endpoint: The endpoint.
        policy: The policy.
        version: Of the table; the present one by default.
    """
    store, table = project.store, predictions_table(endpoint.name)
    since = policy.rollout.began if policy.rollout is not None else 0
    if store.tables.version(table) is None:
        return None
    rows = store.tables.scan(table, version)
    if "experiment" not in rows.collect_schema().names():
        return None
    logged = rows.filter(
        pl.col("experiment") == policy.experiment, pl.col("at") >= datetime_of(since), pl.col("role") != "shadow"
    )
    return logged.filter(pl.col("probability") < 1.0) if policy.overrides else logged


def _rows(project: Definitions, endpoint: Endpoint, policy: Policy) -> pl.DataFrame:
    """Answers of the policy's experiment with the labels that have come; those of overrides, drawn by nobody, aside."""
    store = project.store
    since = policy.rollout.began if policy.rollout is not None else 0
    logged = answers_of(project, endpoint, policy)
    if logged is None:
        return pl.DataFrame(schema={**PREDICTIONS, TRUTH: pl.Float64})
    # A look comes every few minutes, and an experiment may last for months: no more is read than is looked at.
    columns = [*_READ, "request"] if policy.mode == "contextual" else [*_READ]
    labels = pl.DataFrame(schema=FEEDBACK)
    if store.tables.version(told := feedback_table(endpoint.name)) is not None:
        feedback = store.tables.scan(told).filter(pl.col("at") >= datetime_of(since))
        there = feedback.collect_schema()
        labels = feedback.select([name for name in _LABELS if name in there]).collect()
    frame = join_labels(logged.select(columns).collect(), labels, endpoint=endpoint.name)
    return frame.rename({LABEL: TRUTH})


def _words(verdict: Verdict, version: int) -> str:
    told = {
        "hold": f"canary v{version} is doubted, and stays at {verdict.share:.0%}: ",
        "down": f"canary v{version} goes down to {verdict.share:.0%}: ",
        "up": f"canary v{version} goes up to {verdict.share:.0%}: ",
        "promote": f"canary v{version} becomes champion: ",
        "end": f"canary v{version} is ended: ",
    }
    return told[verdict.step] + verdict.because


def _decision(
    policy: Policy, because: str, *, evidence: str, at: Micros | None = None, version: int | None = None
) -> Decision:
    return Decision(
        id=new_id(),
        at=policy.at if at is None else at,
        about=policy.endpoint,
        what="route",
        because=because,
        actor=policy.actor,
        version=version,
        evidence=evidence,
    )


def _links(policy: Policy, endpoint: Endpoint) -> list[Link]:
    model = endpoint.model.name
    return [Link(f"version:{model}@{arm.version}", policy.ref, arm.name) for arm in policy.arms if arm.version]


def in_words(policy: Policy) -> str:
    """A policy in a line: who answers, and how often."""
    arms = ", ".join(
        f"{arm.name} {f'v{arm.version}' if arm.version else '(champion)'} {arm.share:.0%}" for arm in policy.arms
    )
    doubted = ", doubted" if policy.rollout is not None and policy.rollout.doubted is not None else ""
    return f"{policy.mode} {policy.experiment}: {arms}{doubted}"
