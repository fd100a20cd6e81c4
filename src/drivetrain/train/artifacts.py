"""A fitted model's files: kept as blobs, and proved to answer as the model did before they are."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import RefusedError, StoreError, TrainingError
from drivetrain.core.protocols import Blobs, Engine, Fitted, LoadEngine
from drivetrain.core.records import Artifact, InputSchema
from drivetrain.core.records.version import Packaging
from drivetrain.train.deciding.reading import DecidingEngine, load_decider
from drivetrain.train.filling import FilledEngine
from drivetrain.train.packaging import Form, package
from drivetrain.train.rate import open_rate
from drivetrain.train.text.kept import open_reading
from drivetrain.train.text.reading import TextEngine

PICKLE = "pickle"
"""Format, and engine, of what runs code of its author's when it is opened."""
_ENGINES = {"json": "rate", "skops": "sklearn"}


def engine_of(artifacts: Sequence[Artifact]) -> str:
    """Name of the engine that serves artifacts: that of the first one's format.

    Raises:
        StoreError: There are no artifacts.
    """
    if not artifacts:
        raise StoreError("there is no artifact to serve", do="Train the model again; its run did not finish")
    return _ENGINES.get(artifacts[0].format, artifacts[0].format)


def open_engine(
    blobs: Blobs, artifacts: Sequence[Artifact], schema: InputSchema, threads: int = 1, *, trusted: bool = False
) -> Engine:
    """Opens the artifact that is served.

    Args:
        blobs: Where it is.
        artifacts: A model's, the one to serve first; one that says how answers are read is heeded, and without it the
            model answers as it was fitted.
        schema: What its rows hold, and what stands in for missing values.
        threads: How many a batch may be computed on.
        trusted: Whether the project trusts pickles of the model.

    Raises:
        RefusedError: It is a pickle, and the project does not trust it.
        CorruptBlob: Its bytes do not match their digest.
        StoreError: It is not there, or is no model for the schema.
        MissingExtra: The library behind its engine is not installed.
    """
    load = _loader(engine_of(artifacts))
    if artifacts[0].format == PICKLE and not trusted:
        raise RefusedError(
            f"{artifacts[0].name} is a pickle, and opening one runs code of its author's",
            expected="skops or ONNX, which hold numbers and names alone",
            do="Convert it where you trust it (skops.io.dump, skl2onnx), or name the model in drivetrain.toml: "
            "[models] trust_pickles = […]",
        )
    path = blobs.path(artifacts[0].digest)
    reading = open_reading(blobs, artifacts, schema) if schema.texts else None
    read = schema if reading is None else reading.reads
    engine = FilledEngine(load(path, read.read, threads), read) if read.fills else load(path, read, threads)
    engine = engine if reading is None else TextEngine(engine, reading)
    decider = load_decider(blobs, artifacts)
    return engine if decider is None else DecidingEngine(engine, decider)


def keep(blobs: Blobs, fitted: Fitted, schema: InputSchema, rows: np.ndarray) -> tuple[tuple[Artifact, ...], Packaging]:
    """Saves a fitted model in every form that answers as it does.

    Args:
        blobs: Where its files go.
        fitted: The model.
        schema: The columns that it reads itself.
        rows: Real rows of these, on which its forms are compared and timed.

    Returns:
        Its artifacts, the one to serve first, and how that was chosen. Forms that answer otherwise are not kept.

    Raises:
        TrainingError: None of its forms answers as the model does.
    """
    with tempfile.TemporaryDirectory(prefix="drivetrain-") as name:
        folder = Path(name)
        saved, packaging = _tried(fitted, schema, rows, folder)
        first = packaging.candidates[0]
        if packaging.chosen is None:
            raise TrainingError(
                f"{first.name} does not answer as the model it was saved from",
                found=first.reason.rstrip("."),
                expected=f"a difference of at most {packaging.tolerance:.2g} on {len(rows)} rows",
                do="Choose another estimator, or report it",
            )
        ranked = sorted(zip(packaging.candidates, saved, strict=True), key=lambda each: not each[0].chosen)
        artifacts = tuple(_put(blobs, folder / file, format) for found, (file, format) in ranked if found.agrees)
    return artifacts, packaging


def try_forms(fitted: Fitted, schema: InputSchema, rows: np.ndarray) -> Packaging:
    """What a model would be served by, and how fast; nothing is kept.

    Args:
        fitted: The model.
        schema: The columns that it reads itself.
        rows: Real rows of these, on which its forms are compared and timed.
    """
    with tempfile.TemporaryDirectory(prefix="drivetrain-") as name:
        return _tried(fitted, schema, rows, Path(name))[1]


def _tried(
    fitted: Fitted, schema: InputSchema, rows: np.ndarray, folder: Path
) -> tuple[list[tuple[str, str]], Packaging]:
    """The files that a model was saved in, and how their forms did."""
    saved = fitted.save(folder)
    forms = [_form(folder / file, format, schema) for file, format in saved]
    return saved, package(forms, np.asarray(fitted.predict(rows)), rows)


def _form(path: Path, format: str, schema: InputSchema) -> Form:
    engine = _ENGINES.get(format, format)
    return Form(engine, path.name, path.stat().st_size, lambda: _loader(engine)(path, schema, 1))


def _loader(engine: str) -> LoadEngine:
    if engine == "rate":
        return open_rate
    load: LoadEngine = plugins.load("pickled", "sklearn") if engine == PICKLE else plugins.load("engine", engine)
    return load


def _put(blobs: Blobs, path: Path, format: str) -> Artifact:
    data = path.read_bytes()
    return Artifact(name=path.name, format=format, digest=blobs.put(data), size=len(data))
