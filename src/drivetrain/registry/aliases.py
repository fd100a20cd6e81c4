"""Names that point at versions: who answers, who challenges, who runs in the shadow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import msgspec

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import Conflict, GateRefused, RefusedError, StoreError, UnknownName, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Alias, AliasName, Decision, Link, ModelVersion
from drivetrain.store.bundle import Store

_TRIES = 100


class Move(msgspec.Struct, frozen=True):
    """The evidence of a decision that moved an alias."""

    alias: AliasName
    before: int | None
    after: int | None
    forced: bool = False
    refusals: tuple[str, ...] = ()
    """What the gates had against it, where it was forced."""


_decode_move = msgspec.json.Decoder(Move).decode  # not made in a thread


def current(store: Store, model: str) -> dict[str, int]:
    """Alias → number of the version it points at; aliases that point at nothing are left out."""
    found = {alias.alias: alias.version for alias in store.catalog.find(Alias, model)}
    return {name: found[name] for name in get_args(AliasName) if found.get(name) is not None}  # type: ignore[misc]


def champion(store: Store, model: str) -> ModelVersion | None:
    """The version that answers; none where none was promoted."""
    return pointed(store, model, "champion")


def pointed(store: Store, model: str, alias: AliasName) -> ModelVersion | None:
    """The version an alias points at, if there is one."""
    held = store.catalog.get(Alias, f"{model}:{alias}")
    return None if held is None or held.version is None else find_version(store, model, held.version)


def reigns_since(store: Store, model: str) -> Micros:
    """When the present champion took its place; 0 where there is none."""
    held = store.catalog.get(Alias, f"{model}:champion")
    return 0 if held is None or held.version is None else held.at


def find_version(store: Store, model: str, number: int) -> ModelVersion:
    """A version by its number.

    Raises:
        UnknownName: There is none.
    """
    found = store.catalog.get(ModelVersion, f"{model}@{number}")
    if found is None:
        numbers = sorted(version.version for version in store.catalog.find(ModelVersion, model))
        there = ", ".join(f"v{each}" for each in numbers) or "none"
        raise UnknownName(f"model {model!r} has no version {number}", expected=f"one of: {there}")
    return found


def point(
    store: Store,
    model: str,
    alias: AliasName,
    version: int | None,
    because: str,
    actor: str,
    *,
    force: bool = False,
    at: Micros | None = None,
    expect: Mapping[str, int] | None = None,
) -> Alias:
    """Points an alias at a version, or at nothing.

    One that points there already changes nothing. A version that becomes champion is no longer challenger or shadow.

    Args:
        store: Where versions are.
        model: The model.
        alias: Which name.
        version: The version's number; ``None`` to take the name away.
        because: Why, in a sentence; kept for good.
        actor: Who.
        force: Point at a version that its gates refused.
        at: The moment the decision is dated; the present by default.
        expect: Other records → revisions at which they must still stand.

    Raises:
        UnknownName: There is no such version or alias.
        UsageError: No reason is given.
        Conflict: One of ``expect`` was changed meanwhile; nothing was moved.
        GateRefused: The version's gates did not pass, and it is not forced.
    """
    if alias not in get_args(AliasName):
        raise UnknownName(f"no alias is called {alias!r}", expected=", ".join(get_args(AliasName)))
    if not because.strip():
        raise UsageError(f"pointing {alias} of {model} needs a reason", do="Say why in a sentence")
    refusals: tuple[str, ...] = ()
    if version is not None:
        gates = find_version(store, model, version).gates
        refusals = gates.refusals
        if not gates.passed and not force:
            raise GateRefused(
                f"{model} v{version} may not become {alias}",
                found="; ".join(refusals),
                do="Train a better one, or force it and say why",
            )

    def move(held: Alias | None) -> tuple[int | None, int | None] | None:
        before = held.version if held else None
        return None if before == version else (version, before)

    evidence = Move(alias, None, version, forced=bool(refusals), refusals=refusals)
    what: Literal["promote", "shadow"] = "promote" if alias == "champion" else "shadow"
    return _move(store, _Ask(model, alias, because, actor, evidence, what, at, expect or {}), move)


def rollback(store: Store, model: str, because: str, actor: str) -> Alias:
    """Gives the champion's name back to the version that had it before.

    A second rollback goes one further back, never forward to what was rolled back from.

    Raises:
        RefusedError: No version was champion before.
        UsageError: No reason is given.
    """
    if not because.strip():
        raise UsageError(f"rolling back {model} needs a reason", do="Say why in a sentence")

    def move(held: Alias | None) -> tuple[int | None, int | None]:
        if held is None or held.previous is None:
            raise RefusedError(
                f"{model} has no earlier champion to roll back to",
                found=f"v{held.version}, the first" if held and held.version else "no champion",
                do="Promote a version instead",
            )
        reign = _reign(store, model)
        earlier = reign[: reign.index(held.previous)] if held.previous in reign else []
        return held.previous, earlier[-1] if earlier else None

    return _move(store, _Ask(model, "champion", because, actor, Move("champion", None, None), "rollback"), move)


class _Ask(msgspec.Struct, frozen=True):
    model: str
    alias: AliasName
    because: str
    actor: str
    evidence: Move
    what: Literal["promote", "shadow", "rollback"]
    at: Micros | None = None
    expect: Mapping[str, int] = {}


def _move(store: Store, ask: _Ask, move: Callable[[Alias | None], tuple[int | None, int | None] | None]) -> Alias:
    """Reads an alias, moves it and writes the decision, against whoever does so at the same moment."""
    key = f"{ask.model}:{ask.alias}"
    for _ in range(_TRIES):
        # Who expects a revision of this alias itself has judged by it: a later one is a conflict.
        expect = {f"alias:{key}": store.catalog.record_revision(f"alias:{key}"), **ask.expect}
        held = store.catalog.get(Alias, key)
        moved = move(held)
        if moved is None:
            return held or Alias(at=clock.now(), model=ask.model, alias=ask.alias, version=None)
        version, previous = moved
        if version is not None:
            target = f"version:{ask.model}@{version}"
            expect[target] = store.catalog.record_revision(target)
            _check_there(find_version(store, ask.model, version))
        alias = Alias(
            at=clock.now() if ask.at is None else ask.at,
            model=ask.model,
            alias=ask.alias,
            version=version,
            previous=previous,
            because=ask.because,
            actor=ask.actor,
        )
        cleared = _cleared(store, alias)
        for other in cleared:
            expect[other.ref] = store.catalog.record_revision(other.ref)
        links = [Link(f"version:{ask.model}@{version}", alias.ref, ask.alias)] if version is not None else []
        try:
            store.catalog.commit(alias, *cleared, _decision(ask, held, alias), links=links, expect=expect)
        except Conflict:
            if any(store.catalog.record_revision(ref) != revision for ref, revision in ask.expect.items()):
                raise
            continue  # somebody moved it meanwhile: look again
        return alias
    raise StoreError(f"{key} is moved faster than it can be moved once more", do="Try again")


def _check_there(version: ModelVersion) -> None:
    if version.removed is not None:
        raise RefusedError(
            f"{version.key} can't be pointed at: its artifacts were removed on {clock.iso(version.removed)[:10]}",
            do=f"Make it again with: drivetrain reproduce {version.key}, or train anew",
        )


def _cleared(store: Store, alias: Alias) -> list[Alias]:
    """Challenger and shadow, where the new champion was that."""
    if alias.alias != "champion" or alias.version is None:
        return []
    return [
        msgspec.structs.replace(
            other, at=alias.at, version=None, previous=other.version, because=alias.because, actor=alias.actor
        )
        for other in store.catalog.find(Alias, alias.model)
        if other.alias != "champion" and other.version == alias.version
    ]


def _decision(ask: _Ask, held: Alias | None, alias: Alias) -> Decision:
    move = msgspec.structs.replace(ask.evidence, before=held.version if held else None, after=alias.version)
    forced = f" (forced; the gates said: {'; '.join(move.refusals)})" if move.forced else ""
    taken = f"{ask.alias} taken away: " if alias.version is None else ""
    return Decision(
        at=alias.at,
        id=new_id(),
        about=ask.model,
        what=ask.what,
        because=f"{taken}{ask.because}{forced}",
        actor=ask.actor,
        version=alias.version if alias.version is not None else move.before,
        evidence=msgspec.json.encode(move).decode(),
    )


def _reign(store: Store, model: str) -> list[int]:
    """Champions in the order they followed, each at its latest promotion; those rolled back from are left out."""
    reign: list[int] = []
    for decision in reversed(store.catalog.find(Decision, model)):
        if decision.what not in {"promote", "rollback"}:
            continue
        try:
            move = _decode_move(decision.evidence)
        except msgspec.DecodeError:
            continue  # somebody else's line about a promotion
        if move.after is None or move.alias != "champion":
            continue
        if decision.what == "rollback":
            del reign[reign.index(move.after) + 1 if move.after in reign else 0 :]
        elif move.after in reign:
            reign.remove(move.after)
        if move.after not in reign:
            reign.append(move.after)
    return reign
