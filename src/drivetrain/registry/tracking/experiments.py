"""Experiments: runs that belong together under a name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, NameTaken, StoreError, UnknownName, UsageError
from drivetrain.core.records import TakenName, TrackedExperiment
from drivetrain.registry.tracking.place import Place, change

DEFAULT, DEFAULT_NAME = "0", "Default"
"""The experiment of whoever names none; made when it is first asked for."""
LOCATION = "mlflow-artifacts:/"
"""What stands before an experiment's id in the addresses of files that are kept here."""

_SORT = "experiment"
_TRIES = 100
_LONGEST = 500


def create(place: Place, name: str, location: str = "", tags: Mapping[str, str] | None = None) -> TrackedExperiment:
    """Makes an experiment.

    Args:
        place: Where it goes.
        name: Its name, which no other has; one that was deleted keeps its own.
        location: Where its runs' files go; here, by default.
        tags: Name → value.

    Raises:
        NameTaken: An experiment has the name.
        UsageError: It is no name.
    """
    _check_name(name)
    return _create(place, str(clock.now()), name, location, tags or {})


def find(place: Place, experiment_id: str) -> TrackedExperiment:
    """An experiment by its id, deleted or not.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(TrackedExperiment, experiment_id)
    if found is None and experiment_id == DEFAULT:
        try:
            return _create(place, DEFAULT, DEFAULT_NAME, "", {})
        except NameTaken:  # by who asked for it at the same moment
            found = place.catalog.get(TrackedExperiment, DEFAULT)
    if found is None:
        raise UnknownName(f"no experiment has the id {experiment_id!r}")
    return found


def active(place: Place, experiment_id: str) -> TrackedExperiment:
    """An experiment that is not deleted.

    Raises:
        UnknownName: There is none.
        UsageError: It is deleted.
    """
    found = find(place, experiment_id)
    if found.deleted is not None:
        raise UsageError(f"experiment {found.name!r} is deleted", do="Restore it, or choose another")
    return found


def by_name(place: Place, name: str) -> TrackedExperiment:
    """An experiment by its name, deleted or not.

    Raises:
        UnknownName: There is none.
    """
    taken = place.catalog.get(TakenName, f"{_SORT}/{name}")
    if taken is not None and taken.by:
        return find(place, taken.by)
    if name == DEFAULT_NAME:
        return find(place, DEFAULT)
    raise UnknownName(f"no experiment is called {name!r}")


def every(place: Place) -> list[TrackedExperiment]:
    """Every experiment there is by now, deleted ones too, the newest first."""
    return place.catalog.find(TrackedExperiment)


def rename(place: Place, experiment_id: str, name: str) -> TrackedExperiment:
    """Gives an experiment another name, and its old one back.

    Raises:
        NameTaken: Another has the name.
    """
    _check_name(name)
    for _ in range(_TRIES):
        ref, key = f"{TrackedExperiment.kind}:{experiment_id}", f"{_SORT}/{name}"
        wanted = f"{TakenName.kind}:{key}"
        expect = {one: place.catalog.record_revision(one) for one in (ref, wanted)}
        found, taken = active(place, experiment_id), place.catalog.get(TakenName, key)
        if found.name == name:
            return found
        if taken is not None and taken.by:
            raise NameTaken(f"an experiment is called {name!r} already")
        now = clock.now()
        renamed = replace(found, name=name, updated=now)
        names = (
            TakenName(at=now, sort=_SORT, name=name, by=experiment_id),
            TakenName(at=now, sort=_SORT, name=found.name, by=""),
        )
        try:
            place.catalog.commit(renamed, *names, expect=expect)
        except Conflict:
            continue
        return renamed
    raise StoreError(f"experiment {experiment_id} changes faster than it can be renamed", do="Try again")


def set_deleted(place: Place, experiment_id: str, *, deleted: bool) -> TrackedExperiment:
    """Deletes an experiment, or restores it; its runs are left as they are, and it keeps its name."""
    now = clock.now()
    return change(
        place,
        TrackedExperiment,
        find(place, experiment_id).experiment_id,
        lambda found: replace(found, deleted=now if deleted else None, updated=now),
    )


def tag(place: Place, experiment_id: str, key: str, value: str | None) -> TrackedExperiment:
    """Sets a tag, or takes it away."""
    active(place, experiment_id)

    def tagged(found: TrackedExperiment) -> TrackedExperiment:
        kept = {name: text for name, text in found.tags.items() if name != key}
        return replace(found, tags=kept if value is None else kept | {key: value}, updated=clock.now())

    return change(place, TrackedExperiment, experiment_id, tagged)


def _create(
    place: Place, experiment_id: str, name: str, location: str, tags: Mapping[str, str]
) -> TrackedExperiment:  # fmt: skip
    now = clock.now()
    made = TrackedExperiment(
        at=now,
        experiment_id=experiment_id,
        name=name,
        location=location.rstrip("/") or f"{LOCATION}{experiment_id}",
        updated=now,
        tags=dict(tags),
    )
    taken = TakenName(at=now, sort=_SORT, name=name, by=experiment_id)
    revision = place.catalog.record_revision(taken.ref)
    held = place.catalog.get(TakenName, taken.key)
    if held is not None and held.by:
        raise _taken(place, name, held.by)
    try:
        place.catalog.commit(made, taken, expect={made.ref: 0, taken.ref: revision})
    except Conflict:
        raise _taken(place, name, experiment_id) from None
    return made


def _taken(place: Place, name: str, by: str) -> NameTaken:
    found = place.catalog.get(TrackedExperiment, by)
    deleted = found is not None and found.deleted is not None
    return NameTaken(
        f"an experiment is called {name!r} already" + (", and is deleted" if deleted else ""),
        do="Restore it, or choose another name" if deleted else "Use it, or choose another name",
    )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST or "\x00" in name:
        raise UsageError("not a name of an experiment", found=repr(name[:80]), expected=f"1 to {_LONGEST} characters")
