"""A finished run becomes a numbered version, with its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import Conflict, StoreError, TrainingError
from drivetrain.core.hashing import Digest
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Decision, GateReport, Link, ModelVersion, RegisteredModel, RegisteredVersion, Run
from drivetrain.core.signing import SigningKey
from drivetrain.registry.signature import signed
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import engine_of

_TRIES = 100


def register(
    store: Store,
    run: Run,
    *,
    gates: GateReport,
    card: bytes | None,
    reference: bytes | None,
    features: Mapping[str, Digest],
    training_set: str,
    judged: Digest = "",
    sign: SigningKey | None = None,
    actor: str = "loop",
    at: Micros | None = None,
    number: int | None = None,
) -> ModelVersion:
    """Gives a run the next number of its model; a run that has one keeps it, as long as it is judged by the same rules.

    Numbers start at 1 and have no gaps, whoever registers at the same moment. A version whose gates did not pass is
    registered all the same: what was refused, and why, stays on record. A run that is judged anew by other rules is
    another version of the same artifacts, for a version never changes.

    Args:
        store: Where it goes.
        run: A finished run.
        gates: What it had to meet, and whether it did.
        card: The model card, HTML.
        reference: The profile that monitoring compares with.
        features: View or request-feature name → digest of its definition.
        training_set: Ref of the table version it was trained on.
        judged: Digest of the rules that it was judged by; empty where they don't count.
        sign: The key that vouches for the version; none leaves it unsigned.
        actor: Who registers.
        at: The moment the version is dated; the present by default.
        number: The number that a client registered the model under; the next by default.

    Raises:
        TrainingError: The run did not finish.
        StoreError: The store is away or full; nothing was registered.
    """
    if run.status != "done" or run.input_schema is None:
        raise TrainingError(f"run {run.run_id} of {run.model} is {run.status}", do="Register a run that finished")
    card_digest = store.blobs.put(card) if card is not None else None
    reference_digest = store.blobs.put(reference) if reference is not None else None
    for _ in range(_TRIES):
        known = store.catalog.find(ModelVersion, run.model)
        same = {"", judged} if judged else None
        ours = next((one for one in known if one.run_id == run.run_id and (same is None or one.judged in same)), None)
        if ours is not None:
            return ours
        version = ModelVersion(
            at=clock.now() if at is None else at,
            model=run.model,
            version=_next(store, run.model, known) if number is None else number,
            run_id=run.run_id,
            artifacts=run.artifacts,
            engine=engine_of(run.artifacts),
            input_schema=run.input_schema,
            task=run.task,
            features=dict(features),
            training_set=training_set,
            gates=gates,
            card=card_digest,
            reference=reference_digest,
            packaging=run.packaging,
            judged=judged,
        )
        if sign is not None:
            version = signed(version, sign, version.at)
        links = [Link(run.ref, version.ref, "run"), Link(training_set, version.ref, "training_set")]
        try:
            expect = {version.ref: 0}
            if number is None:  # one that a client registers at this moment has its number first
                expect[f"{RegisteredVersion.kind}:{version.key}"] = 0
            store.catalog.commit(version, _decision(version, actor), links=links, expect=expect)
        except Conflict:
            continue  # somebody took the number: look again, and take the next
        return version
    raise StoreError(f"{run.model} gets versions faster than one can be added", do="Try again")


def versions(store: Store, model: str) -> list[ModelVersion]:
    """A model's versions, the newest number first."""
    return sorted(store.catalog.find(ModelVersion, model), key=lambda version: version.version, reverse=True)


def _next(store: Store, model: str, known: Sequence[ModelVersion]) -> int:
    """One more than the highest number of the project's own versions, and of those that clients registered."""
    registered = store.catalog.get(RegisteredModel, model)
    given = 0 if registered is None else registered.last
    return max(given, max((version.version for version in known), default=0)) + 1


def _decision(version: ModelVersion, actor: str) -> Decision:
    passed = sum(outcome.passed for outcome in version.gates.outcomes)
    words = f"{passed} of {len(version.gates.outcomes)} gates passed"
    return Decision(
        at=version.at,
        id=derived_id("register", version.ref),
        about=version.model,
        what="register",
        because="; ".join([words, *version.gates.refusals]),
        actor=actor,
        version=version.version,
        evidence=msgspec.json.encode({"run": version.run_id, "gates": version.gates}).decode(),
    )
