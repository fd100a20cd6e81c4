"""How long versions keep their artifacts, and which may not lose them."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.clock import DAY, Micros
from drivetrain.core.errors import Conflict, ProjectError, StoreError
from drivetrain.core.hashing import Digest
from drivetrain.core.ids import new_id
from drivetrain.core.records import Alias, Decision, ModelVersion, Policy, Run
from drivetrain.registry.archive.manifest import artifacts
from drivetrain.store.bundle import Store

_TRIES = 100


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions of a model keep their artifacts; one that meets either bound does.

    Attributes:
        versions: The newest so many; 0 for no bound of that kind.
        days: Those registered in the last so many days; 0 for no bound of that kind.

    Raises:
        ProjectError: A bound is below zero.

    Example:
        >>> Keep(versions=20, days=365).bounded
        True
    """

    versions: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if min(self.versions, self.days) < 0:
            raise ProjectError(
                "what is kept can't be less than nothing", found=f"{self.versions} versions, {self.days} days"
            )

    @property
    def bounded(self) -> bool:
        """Whether anything may go at all."""
        return self.versions > 0 or self.days > 0


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one version.

    Attributes:
        model: The model.
        version: Its number.
        goes: Whether its artifacts go.
        because: Why, or why not.
        bytes: What its artifacts take that no other version needs.
    """

    model: str
    version: int
    goes: bool
    because: str
    bytes: int = 0


def pinned(store: Store, model: str, policies: list[Policy]) -> dict[int, str]:
    """Number → why, of versions that may not lose their artifacts whatever the bounds say.

    Args:
        store: Where aliases are.
        model: The model.
        policies: Those of the endpoints that it answers.
    """
    held: dict[int, str] = {}
    for alias in store.catalog.find(Alias, model):
        if alias.previous is not None and alias.alias == "champion":
            held.setdefault(alias.previous, "it was champion before, and is what a rollback returns to")
    for policy in policies:
        for arm in policy.arms:
            if arm.version:
                held[arm.version] = f"it is arm {arm.name} of an experiment"
    for alias in store.catalog.find(Alias, model):
        if alias.version is not None:
            held[alias.version] = f"it is {alias.alias}"
    return held


def fates(versions: list[ModelVersion], keep: Keep, held: dict[int, str], now: Micros) -> list[Fate]:
    """What becomes of a model's versions, the newest first; of those that lost theirs already, nothing.

    Args:
        versions: All of the model's.
        keep: The bounds.
        held: Number → why, of those that may not.
        now: The present.
    """
    found: list[Fate] = []
    ordered = sorted((one for one in versions if one.removed is None), key=lambda one: -one.version)
    for place, version in enumerate(ordered):
        if version.version in held:
            goes, why = False, held[version.version]
        elif not keep.bounded:
            goes, why = False, "everything is kept"
        elif keep.versions and place < keep.versions:
            goes, why = False, f"it is among the newest {keep.versions}"
        elif keep.days and version.at > now - keep.days * DAY:
            goes, why = False, f"it is not {keep.days} days old"
        else:
            bounds = [f"the newest {keep.versions}"] if keep.versions else []
            bounds += [f"those of the last {keep.days} days"] if keep.days else []
            goes, why = True, f"it is not among {' or '.join(bounds)}"
        found.append(Fate(model=version.model, version=version.version, goes=goes, because=why))
    return found


def own_blobs(store: Store, version: ModelVersion) -> dict[Digest, int]:
    """Digest → bytes, of a version's artifacts that no other version and no other run names."""
    run = store.catalog.get(Run, version.run_id)
    mine = {one.digest: one.size for one in artifacts(version, run)} if run else {
        one.digest: one.size for one in version.artifacts
    }  # fmt: skip
    others = {
        one.digest
        for other in store.catalog.find(ModelVersion)
        if other.ref != version.ref and other.removed is None
        for one in other.artifacts
    }
    gone = {other.run_id for other in store.catalog.find(ModelVersion) if other.removed is not None}
    for each in store.catalog.find(Run):
        if each.run_id != version.run_id and each.run_id not in gone:
            others |= {one.digest for parts in (each.artifacts, *each.baselines.values()) for one in parts}
    return {digest: size for digest, size in mine.items() if digest not in others}


def remove_artifacts(store: Store, model: str, number: int, *, because: str, actor: str) -> int:
    """Takes a version's artifacts away; its record stays, with a mark. How many bytes that freed.

    The mark comes first: cut off in between, doing it again removes what is left.

    Raises:
        UnknownName: There is no such version.
        StoreError: A blob can't be removed.
    """
    for _ in range(_TRIES):
        version = store.catalog.get(ModelVersion, f"{model}@{number}")
        if version is None:
            return 0
        aliases = store.catalog.find(Alias, model)
        expect = {record.ref: store.catalog.record_revision(record.ref) for record in (version, *aliases)}
        if store.catalog.get(ModelVersion, version.key) != version or store.catalog.find(Alias, model) != aliases:
            continue  # they changed while they were looked at
        if any(alias.version == number for alias in aliases):
            return 0  # somebody has pointed at it since the plan
        if version.removed is None:
            decision = Decision(
                at=clock.now(),
                id=new_id(),
                about=model,
                what="clean",
                because=f"The artifacts of v{number} were removed: {because}",
                actor=actor,
                version=number,
                evidence=msgspec.json.encode({"artifacts": version.artifacts}).decode(),
            )
            version = replace(version, removed=decision.at)
            try:
                store.catalog.commit(version, decision, expect=expect)
            except Conflict:
                continue  # somebody changed it meanwhile: look again
        return sum(size for digest, size in own_blobs(store, version).items() if store.blobs.remove(digest))
    raise StoreError(f"{model} v{number} changes faster than it can be cleaned", do="Try again")
