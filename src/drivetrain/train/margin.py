"""Which of a model's forms explains itself: contributions that add up to a margin, and a link from it to the answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.link import Link, link_of
from drivetrain.core.protocols import Blobs, Engine
from drivetrain.core.records import Artifact, InputSchema
from drivetrain.train.artifacts import open_engine
from drivetrain.train.text.kept import texts_among

_PROBES = 32
_SPREAD = 100.0


def explaining(
    blobs: Blobs, artifacts: Sequence[Artifact], schema: InputSchema, rows: np.ndarray
) -> tuple[Engine, Link] | None:
    """The first of a model's forms that explains itself, and how; none if none does.

    A model may be served in a form that can't tell (trees as an ONNX graph) and be kept in one that can.

    Args:
        blobs: Where its artifacts are.
        artifacts: The forms, in the order they are to be tried.
        schema: Its input.
        rows: Rows to try it on, shape (n, fields).
    """
    texts = texts_among(artifacts)
    for artifact in artifacts:
        if artifact in texts:
            continue
        try:
            engine = open_engine(blobs, (artifact, *texts), schema)
        except DrivetrainError:
            continue  # its library is not installed here, or it is no form of the model: another may do
        link = margin_link(engine, rows)
        if link is not None:
            return engine, link
    return None


def margin_link(engine: Engine, rows: np.ndarray) -> Link | None:
    """The link between an engine's explanations and its answers; none where it has none, or they do not add up.

    Not every library's contributions do: those that LightGBM gives of a random forest are a sum over its trees, where
    the answer is their mean.
    """
    try:
        explained = engine.explain(rows)
        if explained is None:
            return None
        margins = by_output(np.asarray(explained)).sum(axis=2)
        answers = np.asarray(engine.predict(rows), dtype=np.float64).reshape(len(rows), -1)
    except Exception:  # noqa: BLE001 - foreign code; one that can't explain is sampled, not trusted
        return None
    return link_of(margins.tolist(), answers.tolist())


def by_output(explained: np.ndarray) -> np.ndarray:
    """Contributions of shape (n, outputs, fields + 1), also where there is one output."""
    return explained[:, None, :] if explained.ndim == 2 else explained


def probes(schema: InputSchema) -> np.ndarray:
    """Made-up rows on which a link can be told apart from others: the same for the same schema, a tenth null."""
    chance = np.random.default_rng(0)
    rows = chance.normal(0.0, _SPREAD, (_PROBES, len(schema.fields)))
    for at, field in enumerate(schema.fields):
        if field.type == "text":
            rows[:, at] = 0.0  # the empty one, as no row here carries another
        elif field.type != "number":
            rows[:, at] = chance.integers(0, max(2, len(field.categories)), _PROBES)
    rows[chance.random(rows.shape) < 0.1] = np.nan
    return np.ascontiguousarray(rows)
