"""Opening a version for serving."""

from __future__ import annotations

from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine


def load_engine(store: Store, version: ModelVersion, threads: int = 1) -> Engine:
    """Opens the artifact a version is served from, its digest checked.

    Args:
        store: Where the artifact is.
        version: Whose.
        threads: How many a batch may be computed on.

    Raises:
        CorruptBlob: The artifact's bytes do not match its digest.
        StoreError: It is not there, or it is no model for the version's schema.
        MissingExtra: The library behind its engine is not installed.
    """
    return open_engine(store.blobs, version.artifacts, version.input_schema, threads)
