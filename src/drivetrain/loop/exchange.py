"""Versions that go from one project to another, with all that vouches for them."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec.structs import replace

from drivetrain import __version__
from drivetrain.core.clock import now
from drivetrain.core.errors import Conflict, RefusedError, StoreError, UnknownName, UsageError
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Decision, Evaluation, Link, ModelVersion, Record, Run, TableVersion
from drivetrain.core.records.imported import FOREIGN, Imported
from drivetrain.loop.audit import note_read, personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import check_signed, signing_key, verify_key
from drivetrain.loop.refs import resolve
from drivetrain.loop.versions import version_named
from drivetrain.registry.archive.manifest import FORM, Manifest, needed
from drivetrain.registry.archive.read import Archive, read_archive
from drivetrain.registry.archive.write import write_archive
from drivetrain.registry.lineage import upward
from drivetrain.train.artifacts import open_engine
from drivetrain.train.background import load_background

_TABLE = f"{TableVersion.kind}:"


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was written to a file, or taken in from one.

    Attributes:
        model: The model.
        version: Its number.
        file: The file.
        digest: Of what the archive says of itself.
        blobs: How many blobs it has.
        size: Their bytes.
        sealed: Id of the key that sealed it; empty where nobody did.
        project: The project where the version was made.
        there: Whether it was there already, and nothing was done.
    """

    model: str
    version: int
    file: str
    digest: str
    blobs: int
    size: int
    sealed: str
    project: str
    there: bool = False


def export_version(project: Definitions, version: str | int, path: str | Path, model: str | None) -> Exchanged:
    """See :meth:`Versions.export`."""
    found = version_named(project, version, model)
    place = Path(path)
    if not place.parent.is_dir() or place.is_dir():
        raise UsageError(f"{place} can't be written", expected="a file in a folder that is there")
    store, catalog = project.store, project.store.catalog
    run = resolve(project, Run, f"run:{found.run_id}")
    steps = upward(catalog, found.ref)
    refs = dict.fromkeys([found.training_set, *(step.link.source for step in steps)])
    tables = (catalog.get(TableVersion, ref.removeprefix(_TABLE)) for ref in refs if ref.startswith(_TABLE))
    manifest = Manifest(
        form=FORM,
        drivetrain=__version__,
        project=project.name,
        version=found,
        run=run,
        evaluation=catalog.get(Evaluation, found.run_id),
        tables=tuple(table for table in tables if table is not None),
        links=tuple(dict.fromkeys(step.link for step in steps)),
        blobs={digest: len(store.blobs.get(digest)) for digest in sorted(needed(found, run))},
    )
    key = signing_key(project)
    digest = write_archive(store, manifest, place, key)
    background = load_background(store.blobs, found.artifacts)
    if background is not None:  # rows of the training set leave the project
        model_of = project.find_model(found.model)
        note_read(
            project,
            "export",
            found.model,
            personal_columns(project, model_of, found.input_schema.names),
            len(background.rows),
        )
    return _told(manifest, place, digest, key.id if key else "")


def import_version(project: Definitions, path: str | Path, *, because: str, actor: str) -> Exchanged:
    """See :meth:`Versions.take`."""
    place = Path(path)
    if not because.strip():
        raise UsageError("taking a version in needs a reason", do="Say why in a sentence")
    archive = read_archive(place, verify_key(project), pickles=project.store.pickles)
    manifest = archive.manifest
    if manifest.version.model not in project.models:
        raise UnknownName(
            f"{place} holds a version of a model that is not declared here",
            found=repr(manifest.version.model),
            expected=f"one of {', '.join(project.models) or 'none declared'}",
        )
    check_signed(project, manifest.version)
    told = _told(manifest, place, archive.digest, archive.sealed)
    if _is_there(project, manifest):
        return replace(told, there=True)
    for digest, data in archive.blobs.items():
        if project.store.blobs.put(data) != digest:
            raise StoreError(f"blob {digest} of {place} was not kept as it is")
    trusted = manifest.version.model in project.store.pickles
    open_engine(project.store.blobs, manifest.version.artifacts, manifest.version.input_schema, trusted=trusted)
    records, links = _records(project, archive, because, actor)
    try:
        project.store.catalog.commit(*records, links=links, expect={manifest.version.ref: 0})
    except Conflict:
        if not _is_there(project, manifest):
            raise
        return replace(told, there=True)
    return told


def _is_there(project: Definitions, manifest: Manifest) -> bool:
    """Whether the very version is there.

    Raises:
        RefusedError: Another one has its number.
    """
    ours = project.store.catalog.get(ModelVersion, manifest.version.key)
    if ours is None:
        return False
    theirs = manifest.version
    same = (ours.run_id, ours.input_schema, ours.features, ours.gates.outcomes) == (
        theirs.run_id,
        theirs.input_schema,
        theirs.features,
        theirs.gates.outcomes,
    )
    if same and {one.digest for one in ours.artifacts} == {one.digest for one in theirs.artifacts}:
        return True
    raise RefusedError(
        f"{manifest.version.key} is there already, and is another",
        found=f"run {ours.run_id}",
        expected=f"run {theirs.run_id}",
        do="A version is never overwritten; take it in where its number is free",
    )


def _records(project: Definitions, archive: Archive, because: str, actor: str) -> tuple[list[Record], list[Link]]:
    """What is committed: the records, told apart from this project's own, and how they came about."""
    manifest = archive.manifest
    space = f"{FOREIGN}:{archive.digest}/"
    own = {manifest.version.ref, manifest.run.ref, *([manifest.evaluation.ref] if manifest.evaluation else [])}

    def there(ref: str) -> str:
        return ref if ref in own or ref.startswith(f"{FOREIGN}:") or not ref else f"{space}{ref}"

    version = replace(manifest.version, training_set=there(manifest.version.training_set))
    run = replace(manifest.run, inputs={name: there(ref) for name, ref in manifest.run.inputs.items()})
    links = [Link(there(link.source), there(link.target), link.role) for link in manifest.links]
    taken = Imported(
        at=now(),
        digest=archive.digest,
        model=version.model,
        version=version.version,
        project=manifest.project,
        drivetrain=manifest.drivetrain,
        tables=manifest.tables,
        links=tuple(links),
        because=because,
        actor=actor,
    )
    sealed = f", sealed with key {archive.sealed}" if archive.sealed else ""
    decision = Decision(
        at=taken.at,
        id=derived_id("import", version.ref, archive.digest),
        about=version.model,
        what="import",
        because=f"v{version.version} was taken in from project {manifest.project}{sealed}: {because}",
        actor=actor,
        version=version.version,
        evidence=msgspec.json.encode({"archive": archive.digest, "run": run.run_id}).decode(),
    )
    records: list[Record] = [version, taken, decision]
    if project.store.catalog.get(Run, run.run_id) is None:
        records.append(run)
    if manifest.evaluation is not None and project.store.catalog.get(Evaluation, run.run_id) is None:
        records.append(replace(manifest.evaluation, data=there(manifest.evaluation.data)))
    return records, [*links, Link(taken.ref, version.ref, "import")]


def _told(manifest: Manifest, path: Path, digest: str, sealed: str) -> Exchanged:
    return Exchanged(
        model=manifest.version.model,
        version=manifest.version.version,
        file=str(path),
        digest=digest,
        blobs=len(manifest.blobs),
        size=sum(manifest.blobs.values()),
        sealed=sealed,
        project=manifest.project,
    )
