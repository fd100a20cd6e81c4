"""A person's word for a version that waits for it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.clock import iso
from drivetrain.core.errors import Conflict, GateRefused, RefusedError, StoreError, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision, GateOutcome, ModelVersion
from drivetrain.registry.aliases import find_version
from drivetrain.store.bundle import Store

_TRIES = 100


def approve(store: Store, model: str, number: int, *, because: str, actor: str) -> ModelVersion:
    """Opens the gates of a version that wait for a person who may open them; a second time changes nothing.

    Args:
        store: Where it is.
        model: The model.
        number: The version's number.
        because: Why, in a sentence; kept for good.
        actor: Who.

    Raises:
        UnknownName: There is no such version.
        UsageError: No reason is given, or nobody is named.
        RefusedError: It waits for somebody else, or for nobody.
        GateRefused: Gates that figures answer said no.
    """
    if not because.strip() or not actor.strip():
        raise UsageError(f"approving {model} v{number} needs a reason and a name", do="Say why in a sentence")
    for _ in range(_TRIES):
        version = find_version(store, model, number)
        revision = store.catalog.record_revision(version.ref)
        asked = [outcome for outcome in version.gates.outcomes if outcome.waits is not None]
        if asked and all(outcome.passed for outcome in asked):
            return version
        _check(version, asked, actor)
        outcomes = tuple(_answered(outcome, actor, because) for outcome in version.gates.outcomes)
        made = replace(version, gates=replace(version.gates, outcomes=outcomes))
        decision = Decision(
            at=clock.now(),
            id=new_id(),
            about=model,
            what="approve",
            because=because,
            actor=actor,
            version=number,
            evidence=msgspec.json.encode({"gates": made.gates}).decode(),
        )
        try:
            store.catalog.commit(made, decision, expect={version.ref: revision})
        except Conflict:
            continue  # somebody changed it meanwhile: look again
        return made
    raise StoreError(f"{model} v{number} changes faster than it can be approved", do="Try again")


def _check(version: ModelVersion, asked: list[GateOutcome], actor: str) -> None:
    name = f"{version.model} v{version.version}"
    if not asked:
        raise RefusedError(f"{name} waits for nobody's approval", do="Declare it as a gate: dt.Gate.approval(by=…)")
    if not version.gates.waits:
        said = "; ".join(one.reason for one in version.gates.outcomes if not one.passed and one.waits is None)
        raise GateRefused(f"{name} has gates that said no, which approval does not open", found=said)
    others = [one.waits for one in asked if one.waits and actor not in one.waits]
    if others:
        raise RefusedError(
            f"{name} waits for somebody else's approval",
            found=actor,
            expected=" or ".join(dict.fromkeys(who for names in others for who in names or ())),
            do="Ask them; who they are is said with --by NAME, or by the operating system",
        )


def _answered(outcome: GateOutcome, actor: str, because: str) -> GateOutcome:
    if outcome.waits is None or outcome.passed:
        return outcome
    reason = f"Yes: approved by {actor} on {iso(clock.now())[:10]}: {because}"
    return replace(outcome, passed=True, reason=reason)
