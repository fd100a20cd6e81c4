"""A fitted model's files: kept as blobs, and proved to answer as the model did before they are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.protocols import Blobs, Engine, Fitted, LoadEngine
from drivetrain.core.records import Artifact, InputSchema
from drivetrain.train.rate import open_rate

TOLERANCE = 1e-4
"""Largest difference between a model and what is served of it: ONNX computes in 32 bits, the rest answer exactly."""

_ENGINES = {"json": "rate", "skops": "sklearn"}


def engine_of(artifacts: Sequence[Artifact]) -> str:
    """Name of the engine that serves artifacts: that of the first one's format.

    Raises:
        StoreError: There are no artifacts.
    """
    if not artifacts:
        raise StoreError("there is no artifact to serve", do="Train the model again; its run did not finish")
    return _ENGINES.get(artifacts[0].format, artifacts[0].format)


def open_engine(blobs: Blobs, artifacts: Sequence[Artifact], schema: InputSchema) -> Engine:
    """Opens the artifact that is served.

    Raises:
        CorruptBlob: Its bytes do not match their digest.
        StoreError: It is not there, or is no model for the schema.
        MissingExtra: The library behind its engine is not installed.
    """
    name = engine_of(artifacts)
    load: LoadEngine = open_rate if name == "rate" else plugins.load("engine", name)
    return load(blobs.path(artifacts[0].digest), schema)


def keep(blobs: Blobs, fitted: Fitted, schema: InputSchema, rows: np.ndarray) -> tuple[Artifact, ...]:
    """Saves a fitted model.

    Args:
        blobs: Where its files go.
        fitted: The model.
        schema: Its input.
        rows: Real rows, on which what was saved must answer as the model does.

    Returns:
        Its artifacts, the one to serve first.

    Raises:
        TrainingError: What was saved answers otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="drivetrain-") as name:
        folder = Path(name)
        artifacts = tuple(_put(blobs, folder / file, format) for file, format in fitted.save(folder))
    served = np.asarray(open_engine(blobs, artifacts, schema).predict(rows))
    difference = float(np.max(np.abs(served - np.asarray(fitted.predict(rows))), initial=0.0))
    if not difference <= TOLERANCE:
        raise TrainingError(
            f"{artifacts[0].name} does not answer as the model it was saved from",
            found=f"a difference of {difference:.2g} on {len(rows)} rows",
            expected=f"at most {TOLERANCE:g}",
            do="Choose another estimator, or report it",
        )
    return artifacts


def _put(blobs: Blobs, path: Path, format: str) -> Artifact:
    data = path.read_bytes()
    return Artifact(name=path.name, format=format, digest=blobs.put(data), size=len(data))
