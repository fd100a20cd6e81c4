"""What an archive says of itself: the records, and the digest of everything else in it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from drivetrain.core.hashing import Digest
from drivetrain.core.records import Artifact, Evaluation, Link, ModelVersion, Run, TableVersion

FORM = 1
MANIFEST, SEAL, BLOBS = "manifest.json", "seal.json", "blobs/"
DOMAIN = b"drivetrain archive\x00"
"""What a seal is made of begins with it, so that no other use of the key can pass for one."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The heart of an archive.

    Attributes:
        form: By which rules it is laid out.
        drivetrain: The release that wrote it.
        project: The project where the version was made.
        version: The version.
        run: How it was trained.
        evaluation: How good it was.
        tables: What it was made of, training set first.
        links: How it came about.
        blobs: Digest → bytes, of every blob in the archive.
    """

    form: int
    drivetrain: str
    project: str
    version: ModelVersion
    run: Run
    evaluation: Evaluation | None = None
    tables: tuple[TableVersion, ...] = ()
    links: tuple[Link, ...] = ()
    blobs: dict[Digest, int]


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """Who vouches for an archive.

    Attributes:
        key: Id of the key.
        value: Signature of the manifest's bytes, hex.
    """

    key: Digest
    value: str


def needed(version: ModelVersion, run: Run) -> dict[Digest, str]:
    """Digest → what it is, of every blob that a version and its run name."""
    named = {artifact.digest: f"{artifact.format} {artifact.name}" for artifact in artifacts(version, run)}
    making = run.making
    others = {
        version.card: "card",
        version.reference: "reference profile",
        making.changes if making else None: "patch",
        making.lock if making else None: "packages",
    }
    return named | {digest: what for digest, what in others.items() if digest is not None}


def artifacts(version: ModelVersion, run: Run) -> Iterator[Artifact]:
    """Every artifact of a version and its run, its baselines' too."""
    yield from version.artifacts
    yield from run.artifacts
    for baseline in run.baselines.values():
        yield from baseline
