"""Registered models: names under which versions are numbered, with tags and aliases.

The project's own models are here too, whether or not a client registered their names: whoever lists models sees all.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, NameTaken, StoreError, UnknownName, UsageError
from drivetrain.core.records import Alias, ModelVersion, RegisteredModel, RegisteredVersion
from drivetrain.registry.tracking.place import Place, change

_LONGEST = 256
_TRIES = 100


def create(
    place: Place, name: str, *, description: str = "", tags: Mapping[str, str] | None = None
) -> RegisteredModel:  # fmt: skip
    """Takes a name.

    Raises:
        NameTaken: A registered model has it.
        UsageError: It is no name.
    """
    _check_name(name)
    ref = f"{RegisteredModel.kind}:{name}"
    revision = place.catalog.record_revision(ref)
    held = place.catalog.get(RegisteredModel, name)
    now = clock.now()
    made = RegisteredModel(
        at=now,
        name=name,
        description=description,
        updated=now,
        tags=dict(tags or {}),
        last=max(0 if held is None else held.last, _own_last(place, name)),
    )
    if held is None or held.deleted:
        try:
            place.catalog.commit(made, expect={ref: revision})
        except Conflict:
            pass
        else:
            return made
    raise NameTaken(f"a registered model is called {name!r} already", do="Use it, or choose another name")


def find(place: Place, name: str) -> RegisteredModel:
    """A registered model, or a model of the project's own.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(RegisteredModel, name)
    if found is not None and not found.deleted:
        return found
    own = place.catalog.find(ModelVersion, name)
    if not own:
        raise UnknownName(f"no registered model is called {name!r}")
    return _own(own)


def every(place: Place) -> list[RegisteredModel]:
    """Every registered model and every model of the project's own, by name."""
    found = {one.name: one for one in place.catalog.find(RegisteredModel) if not one.deleted}
    owned: dict[str, list[ModelVersion]] = {}
    for version in place.catalog.find(ModelVersion):
        owned.setdefault(version.model, []).append(version)
    for name, versions in owned.items():
        found.setdefault(name, _own(versions))
    return [found[name] for name in sorted(found)]


def describe(place: Place, name: str, description: str) -> RegisteredModel:
    """Says in words what a model is."""
    held(place, name)
    return change(
        place, RegisteredModel, name, lambda model: replace(model, description=description, updated=clock.now())
    )


def tag(place: Place, name: str, key: str, value: str | None) -> RegisteredModel:
    """Sets a tag, or takes it away."""
    held(place, name)

    def tagged(model: RegisteredModel) -> RegisteredModel:
        kept = {one: text for one, text in model.tags.items() if one != key}
        return replace(model, tags=kept if value is None else kept | {key: value}, updated=clock.now())

    return change(place, RegisteredModel, name, tagged)


def rename(place: Place, name: str, new: str) -> RegisteredModel:
    """Gives a model and its versions another name.

    Raises:
        NameTaken: Another has the name.
        UsageError: The model has versions that were judged: what they are called is on record for good.
    """
    _check_name(new)
    for _ in range(_TRIES):
        refs = (f"{RegisteredModel.kind}:{name}", f"{RegisteredModel.kind}:{new}")
        expect = {ref: place.catalog.record_revision(ref) for ref in refs}
        found, taken = held(place, name), place.catalog.get(RegisteredModel, new)
        if (taken is not None and not taken.deleted) or place.catalog.find(ModelVersion, new, limit=1):
            raise NameTaken(f"a registered model is called {new!r} already")
        if place.catalog.find(ModelVersion, name, limit=1):
            raise UsageError(f"{name!r} has versions that were judged, and keeps its name", do="Register under another")
        now = clock.now()
        versions = place.catalog.find(RegisteredVersion, name)
        last = max(found.last, 0 if taken is None else taken.last)
        moved = [
            replace(found, deleted=True, updated=now),
            replace(found, name=new, updated=now, last=last),
            *(replace(one, deleted=True) for one in versions),
            *(replace(one, model=new, updated=now) for one in versions if not one.deleted),
        ]
        try:
            place.catalog.commit(*moved, expect=expect)
        except Conflict:
            continue
        return held(place, new)
    raise StoreError(f"{name} changes faster than it can be renamed", do="Try again")


def delete(place: Place, name: str) -> None:
    """Deletes a registered model and its versions; those that were judged stay the project's."""
    held(place, name)
    for version in place.catalog.find(RegisteredVersion, name):
        change(place, RegisteredVersion, version.key, lambda one: replace(one, deleted=True, updated=clock.now()))
    change(place, RegisteredModel, name, lambda model: replace(model, deleted=True, aliases={}, updated=clock.now()))


def point(place: Place, name: str, alias: str, number: int | None) -> RegisteredModel:
    """Points an alias at a version, or takes it away."""
    held(place, name)

    def pointed(model: RegisteredModel) -> RegisteredModel:
        kept = {one: version for one, version in model.aliases.items() if one != alias}
        return replace(model, aliases=kept if number is None else kept | {alias: number}, updated=clock.now())

    return change(place, RegisteredModel, name, pointed)


def aliases(place: Place, model: RegisteredModel) -> dict[str, int]:
    """Alias → number, the project's own among them, which come first."""
    own: dict[str, int] = {
        one.alias: one.version for one in place.catalog.find(Alias, model.name) if one.version is not None
    }
    return {**model.aliases, **own}


def held(place: Place, name: str) -> RegisteredModel:
    """A registered model that may be changed: the name of one of the project's own is taken at the first change.

    Raises:
        UnknownName: There is none.
    """
    found = find(place, name)
    kept = place.catalog.get(RegisteredModel, name)
    if kept is None or kept.deleted:
        try:
            return create(place, name)
        except NameTaken:  # by somebody else at the same moment
            return find(place, name)
    return found


def _own(versions: list[ModelVersion]) -> RegisteredModel:
    return RegisteredModel(
        at=min(one.at for one in versions),
        name=versions[0].model,
        description="A model of this project.",
        updated=max(one.at for one in versions),
        last=max(one.version for one in versions),
    )


def _own_last(place: Place, name: str) -> int:
    return max((one.version for one in place.catalog.find(ModelVersion, name)), default=0)


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST or any(mark in name for mark in "/:\x00"):
        raise UsageError(
            "not a name of a registered model",
            found=repr(name[:80]),
            expected=f"1 to {_LONGEST} characters, neither a slash nor a colon among them",
        )
