"""The background: training rows that a model which can't explain itself is explained against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact, InputSchema, TaskKind
from drivetrain.train.margin import explaining

FORMAT = "background"
"""Format of the artifact."""

ROWS = 128
"""Rows that are kept at most."""

_TRIED = 64


class Background(msgspec.Struct, frozen=True):
    """A sample of what a model was trained on: encoded numbers and nothing that names whom they are about.

    Attributes:
        rows: Evenly spaced over the training rows, which are in order of time.
        answers: What the model says: the ``probability`` of a yes or of each class, or the ``target`` itself.
    """

    rows: list[list[float]]
    answers: Literal["probability", "target"]


_decode = msgspec.msgpack.Decoder(Background).decode  # not made in a thread


def keep_background(
    blobs: Blobs, artifacts: Sequence[Artifact], schema: InputSchema, rows: np.ndarray, kind: TaskKind
) -> tuple[Artifact, ...]:
    """Keeps a background beside a model's artifacts, if none of them explains itself: rows are not kept for nothing.

    Args:
        blobs: Where it goes.
        artifacts: The model's forms.
        schema: Its input.
        rows: The training rows, encoded, shape (n, fields).
        kind: What the model tells.

    Returns:
        The artifact, or nothing.
    """
    if schema.texts or explaining(blobs, artifacts, schema, _spaced(rows, _TRIED)) is not None:
        return ()  # rows that are kept are numbers: what they would be compared with could not be read from them
    chances = kind in {"binary", "multiclass", "multilabel"}
    kept = Background(_spaced(rows, ROWS).tolist(), "probability" if chances else "target")
    data = msgspec.msgpack.encode(kept)
    return (Artifact(name="background.msgpack", format=FORMAT, digest=blobs.put(data), size=len(data)),)


def load_background(blobs: Blobs, artifacts: Sequence[Artifact]) -> Background | None:
    """The background among a version's artifacts, if there is one.

    Raises:
        CorruptBlob: Its bytes do not match its digest.
        StoreError: It is not there, or can't be read.
    """
    artifact = next((each for each in artifacts if each.format == FORMAT), None)
    if artifact is None:
        return None
    try:
        return _decode(blobs.get(artifact.digest))
    except msgspec.MsgspecError as error:
        raise StoreError(f"a background can't be read: {error}", do="Train the version again") from None


def _spaced(rows: np.ndarray, most: int) -> np.ndarray:
    picks = np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)
    return np.ascontiguousarray(rows[picks])
