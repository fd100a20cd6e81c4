"""Versions that clients registered: numbered with the project's own, and looked at for whether they can be served."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, StoreError, UnknownName, UsageError
from drivetrain.core.records import Link, LoggedModel, ModelVersion, RegisteredModel, RegisteredVersion, Run
from drivetrain.core.records.tracking import Stage
from drivetrain.registry.tracking import files, flavours, logged, models, runs
from drivetrain.registry.tracking.experiments import LOCATION
from drivetrain.registry.tracking.place import Place, change

STAGES: tuple[Stage, ...] = ("None", "Staging", "Production", "Archived")
_TRIES = 100


def create(
    place: Place,
    name: str,
    source: str,
    *,
    run_id: str = "",
    model_id: str = "",
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> RegisteredVersion:
    """Gives a model the next number; whether it can be served is looked up in its files at once.

    Numbers are those of the project's own versions too, and never given twice.

    Args:
        place: Where it goes.
        name: A registered model.
        source: Where its files are.
        run_id: The run that made it.
        model_id: The logged model that it is.
        run_link: Where that run can be seen, if elsewhere.
        description: In words.
        tags: Name → value.

    Raises:
        UnknownName: There is no such model, run or logged model.
        UsageError: The source is a path on a machine.
    """
    models.held(place, name)
    model_id = model_id or _model_in(source)
    if model_id:
        run_id = run_id or logged.find(place, model_id).run_id
    if run_id and run_link == "":
        runs.find(place, run_id)
    root, folder = _place_of(place, source, model_id)
    flavour = (
        flavours.look(place, root, folder, pickles=name in place.pickles)
        if root
        else flavours.Flavour(why_not=f"its files are not kept here but at {source}")
    )
    for _ in range(_TRIES):
        ref = f"{RegisteredModel.kind}:{name}"
        expect = {ref: place.catalog.record_revision(ref)}
        model, now = models.held(place, name), clock.now()
        own = max((one.version for one in place.catalog.find(ModelVersion, name)), default=0)
        number = max(model.last, own) + 1
        version = RegisteredVersion(
            at=now,
            model=name,
            version=number,
            source=source,
            root="/".join(filter(None, (root, folder))),
            run_id=run_id,
            model_id=model_id,
            run_link=run_link,
            description=description,
            updated=now,
            tags=dict(tags or {}),
            engine=flavour.engine,
            file=flavour.file,
            columns=flavour.columns,
            unservable=flavour.why_not,
        )
        links = [Link(f"{Run.kind}:{run_id}", version.ref, "run")] if run_id else []
        links += [Link(f"{LoggedModel.kind}:{model_id}", version.ref, "registered")] if model_id else []
        expect |= {version.ref: 0, f"{ModelVersion.kind}:{version.key}": 0}
        try:
            place.catalog.commit(replace(model, last=number, updated=now), version, links=links, expect=expect)
        except Conflict:
            continue  # somebody took the number: look again, and take the next
        return version
    raise StoreError(f"{name} gets versions faster than one can be added", do="Try again")


def find(place: Place, name: str, number: int) -> RegisteredVersion:
    """A version that a client registered, or one of the project's own.

    Raises:
        UnknownName: There is none.
    """
    found = place.catalog.get(RegisteredVersion, f"{name}@{number}")
    if found is not None and not found.deleted:
        return found
    own = place.catalog.get(ModelVersion, f"{name}@{number}")
    if own is None or found is not None:
        raise UnknownName(f"registered model {name!r} has no version {number}")
    return _own(own)


def of_model(place: Place, name: str) -> list[RegisteredVersion]:
    """A model's versions, the project's own among them, the newest number first."""
    known = place.catalog.find(RegisteredVersion, name)
    numbers = {one.version for one in known}
    own = [_own(one) for one in place.catalog.find(ModelVersion, name) if one.version not in numbers]
    return sorted((one for one in [*known, *own] if not one.deleted), key=lambda one: -one.version)


def every(place: Place) -> list[RegisteredVersion]:
    """Every version of every model, by model, the newest number first."""
    known = place.catalog.find(RegisteredVersion)
    keys = {one.key for one in known}
    own = [_own(one) for one in place.catalog.find(ModelVersion) if one.key not in keys]
    return sorted((one for one in [*known, *own] if not one.deleted), key=lambda one: (one.model, -one.version))


def judged(place: Place, version: RegisteredVersion) -> ModelVersion | None:
    """What a version became when it was judged; none where it was not."""
    return place.catalog.get(ModelVersion, version.key)


def describe(place: Place, name: str, number: int, description: str) -> RegisteredVersion:
    """Says in words what a version is."""
    return _change(place, name, number, description=description)


def tag(place: Place, name: str, number: int, key: str, value: str | None) -> RegisteredVersion:
    """Sets a tag, or takes it away."""
    tags = {one: text for one, text in _kept(place, name, number).tags.items() if one != key}
    return _change(place, name, number, tags=tags if value is None else tags | {key: value})


def delete(place: Place, name: str, number: int) -> None:
    """Deletes a version, and the aliases that point at it; one that was judged stays the project's."""
    _change(place, name, number, deleted=True)
    for alias, pointed in models.held(place, name).aliases.items():
        if pointed == number:
            models.point(place, name, alias, None)


def move(place: Place, name: str, number: int, stage: str, *, archive: bool) -> RegisteredVersion:
    """Puts a version into a stage: a word that says what it is for. Who answers requests is the champion's alias alone.

    Args:
        place: Where it is.
        name: The model.
        number: The version.
        stage: Which.
        archive: Whether others in that stage are archived.

    Raises:
        UsageError: There is no such stage.
    """
    wanted = next((one for one in STAGES if one.lower() == stage.lower()), None)
    if wanted is None:
        raise UsageError("no such stage", found=repr(stage), expected=", ".join(STAGES))
    if archive and wanted not in {"Staging", "Production"}:
        raise UsageError("others are archived for Staging and Production only", found=repr(stage))
    moved = _change(place, name, number, stage=wanted)
    if archive:
        for other in of_model(place, name):
            if other.stage == wanted and other.version != number:
                _change(place, name, other.version, stage="Archived")
    return moved


def _change(place: Place, name: str, number: int, **fields: object) -> RegisteredVersion:
    _kept(place, name, number)
    return change(place, RegisteredVersion, f"{name}@{number}", lambda one: replace(one, **fields, updated=clock.now()))


def _kept(place: Place, name: str, number: int) -> RegisteredVersion:
    """A version's record, which one of the project's own gets at its first change."""
    found = find(place, name, number)
    if place.catalog.get(RegisteredVersion, found.key) is None:
        models.held(place, name)
        try:
            place.catalog.commit(found, expect={found.ref: 0})
        except Conflict:
            return find(place, name, number)
    return found


def _own(version: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(
        at=version.at,
        model=version.model,
        version=version.version,
        source=f"drivetrain:{version.key}",
        run_id="",
        updated=version.at,
        engine=version.engine,
        file=version.artifacts[0].name if version.artifacts else "",
        columns=version.input_schema.names,
        description="Trained and judged by this project.",
    )


def _model_in(source: str) -> str:
    """The logged model that a source names."""
    if source.startswith("models:/m-"):
        return source.removeprefix("models:/").partition("/")[0]
    if source.startswith(LOCATION) and "/models/m-" in source:
        return source.partition("/models/")[2].partition("/")[0]
    return ""


def _place_of(place: Place, source: str, model_id: str) -> tuple[str, str]:
    """The root of a source's files and the folder there; two empty texts where they are not kept here."""
    scheme = source.partition(":")[0]
    if scheme in {"", "file"} or source.startswith(("/", ".")) or ":" not in source:
        raise UsageError(
            "a version's source is on somebody's machine", found=repr(source[:120]),
            expected="an address that everybody reads: runs:/…, models:/…, mlflow-artifacts:/…",
        )  # fmt: skip
    if model_id and (scheme == "models" or f"/models/{model_id}/" in f"{source}/"):
        model = logged.find(place, model_id)
        address = logged.artifact_uri(place, model)
        return (model.root, "") if address.startswith(LOCATION) else ("", "")
    if source.startswith(LOCATION):
        root, folder = files.parted(source.removeprefix(LOCATION))
        files.check_owner(place, root)
        return root, folder
    if scheme == "runs":
        run_id, _, folder = source.removeprefix("runs:/").partition("/")
        run = runs.find(place, run_id)
        address = runs.artifact_uri(place, run)
        if address.startswith(LOCATION):
            return files.parted(address.removeprefix(LOCATION))[0], files.checked(folder, empty=True)
    return "", ""
