"""The reasons of one version: exact where a form of the model explains itself, sampled where none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from drivetrain.core.errors import DrivetrainError, RequestError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.protocols import Blobs, Engine
from drivetrain.core.records import ModelVersion
from drivetrain.features.texts import gathered
from drivetrain.serve.explain.shapley import Sampling
from drivetrain.serve.explain.unit import UNITS, Unit
from drivetrain.serve.refusal import EngineFailed
from drivetrain.serve.version import LoadedVersion
from drivetrain.train.background import FORMAT, Background, load_background
from drivetrain.train.deciding.reading import own
from drivetrain.train.margin import by_output, explaining, margin_link, probes
from drivetrain.train.text.reading import TextEngine

Method: TypeAlias = Literal["exact", "sampled"]


class Reasons(NamedTuple):
    """Why one row was answered as it was.

    Attributes:
        unit: What the numbers are measured in.
        method: Whether they are exact, or an estimate.
        base: The expected margin, one for each output.
        contributions: For each output one number a field, in the schema's order; with the base they add up to the
            margin.
        errors: Standard errors of an estimate, same shape; none of what is exact.
    """

    unit: Unit
    method: Method
    base: list[float]
    contributions: list[list[float]]
    errors: list[list[float]] | None = None
    words: Mapping[str, list[list[tuple[str, float]]]] = MappingProxyType({})
    """Text feature → for each output the words and pieces that moved it most, and what each adds to the margin."""


Explain: TypeAlias = Callable[[list[float]], Reasons]
"""Input row → its reasons."""


def reasons_of(version: LoadedVersion, blobs: Blobs) -> Explain:
    """How rows of a version are explained; it may be called from one thread at a time.

    Args:
        version: The version; not kept.
        blobs: Where its background, or another form of it, may be.

    Returns:
        A function that raises EngineFailed where the model does.

    Raises:
        RequestError: It does not explain itself, and no background was kept when it was trained.
        StoreError: What was kept can't be read.
    """
    record = version.record
    background = load_background(blobs, record.artifacts)
    if background is not None:
        return _guarded(record.key, _sampled(record, version.engine, background))
    rows = probes(record.input_schema)
    model = own(version.engine)  # contributions add up to what it says before that is calibrated
    link = margin_link(model, rows)
    found = (model, link) if link is not None else None
    if found is None:
        forms = [artifact for artifact in record.artifacts[1:] if artifact.format != FORMAT]
        found = explaining(blobs, forms, record.input_schema, rows)
    if found is None:
        raise RequestError(
            f"{record.key} can't be explained: it does not explain itself, and no training rows were kept with it",
            do="Read its texts with dt.Tfidf, and choose dt.TextLinear() or trees"
            if record.input_schema.texts
            else "Train the model again, and promote the version that comes of it",
        )
    return _guarded(record.key, _exact(found[0], UNITS[found[1]]))


def _exact(engine: Engine, unit: Unit) -> Explain:
    def explain(inputs: list[float]) -> Reasons:
        rows = gathered([inputs])
        values = by_output(np.asarray(engine.explain(rows)))[0]
        words = engine.words(rows)[0] if isinstance(engine, TextEngine) else {}
        return Reasons(unit, "exact", values[:, -1].tolist(), values[:, :-1].tolist(), words=words)

    return explain


def _sampled(record: ModelVersion, engine: Engine, background: Background) -> Explain:
    seed = int(digest_bytes(record.key.encode())[:8], 16)
    sampling = Sampling(
        lambda rows: np.asarray(engine.predict(rows)), np.array(background.rows, dtype=np.float64), seed
    )

    def explain(inputs: list[float]) -> Reasons:
        found = sampling.explain(np.array(inputs, dtype=np.float64))
        return Reasons(
            background.answers, "sampled", found.base.tolist(), found.contributions.tolist(), found.errors.tolist()
        )

    return explain


def _guarded(name: str, explain: Explain) -> Explain:
    """The same, but whatever a model raises, and numbers that are none, become one error."""

    def guarded(inputs: list[float]) -> Reasons:
        try:
            reasons = explain(inputs)
        except DrivetrainError:
            raise
        except Exception as error:  # an engine is foreign code: whatever it raises, the server stays up
            raise EngineFailed(f"{name} could not be explained: {error}", do="Ask whoever owns the model") from error
        if not all(isfinite(sum(added, base)) for added, base in zip(reasons.contributions, reasons.base, strict=True)):
            raise EngineFailed(f"{name} gave contributions that are no numbers", do="Ask whoever owns the model")
        return reasons

    return guarded
