"""Opening a version to answer with it: the only door, where its signature is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.registry.keys import read_verify_key
from drivetrain.registry.signature import check_signature
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.predict import predict_rows


def load_engine(store: Store, version: ModelVersion, threads: int = 1, *, verify: Path | None = None) -> Engine:
    """Opens the artifact a version is served from: signature first, then its digest.

    Args:
        store: Where the artifact is.
        version: Whose.
        threads: How many a batch may be computed on.
        verify: File of the public key that the version must be signed with; none where signatures are not asked for.
            It is read at every call, so that a key that changes needs no restart.

    Raises:
        RefusedError: It is a pickle, and the project does not trust it.
        SignatureRefused: The version is not signed, signed with another key, or not what was signed.
        SettingsError: The key can't be read.
        CorruptBlob: The artifact's bytes do not match its digest.
        StoreError: It is not there, or it is no model for the version's schema.
        MissingExtra: The library behind its engine, or behind signatures, is not installed.
    """
    if verify is not None:
        check_signature(version, read_verify_key(verify))
    trusted = version.model in store.pickles
    return open_engine(store.blobs, version.artifacts, version.input_schema, threads, trusted=trusted)


def predict_version(
    store: Store, version: ModelVersion, frame: pl.DataFrame, *, verify: Path | None = None
) -> np.ndarray:
    """A version's predictions of rows that have its features by full name; raises as :func:`load_engine`."""
    return predict_rows(load_engine(store, version, verify=verify), version.input_schema, frame)
