"""What was learned of texts, as artifacts of a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact, InputSchema
from drivetrain.train.text import embed, tfidf, tokens
from drivetrain.train.text.encoder import TextEncoder
from drivetrain.train.text.reading import Reading

_OPEN: Mapping[str, Callable[[bytes], tuple[str, TextEncoder]]] = {
    tfidf.FORMAT: tfidf.open_tfidf,
    embed.FORMAT: embed.open_embedding,
    tokens.FORMAT: tokens.open_tokens,
}

FORMATS = frozenset(_OPEN)
"""Formats of the artifacts."""


def keep_reading(blobs: Blobs, reading: Reading | None) -> tuple[Artifact, ...]:
    """Keeps what makes numbers of a model's texts, one artifact a text."""
    if reading is None:
        return ()
    names = [reading.schema.fields[at].name for at in reading.schema.texts]
    return tuple(
        encoder.keep(blobs, name, f"text_{at}")
        for at, (name, encoder) in enumerate(zip(names, reading.encoders, strict=True))
    )


def texts_among(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Those of a model's artifacts that its texts are read with."""
    return tuple(artifact for artifact in artifacts if artifact.format in FORMATS)


def open_reading(blobs: Blobs, artifacts: Sequence[Artifact], schema: InputSchema) -> Reading:
    """What makes numbers of a version's texts.

    Raises:
        CorruptBlob: An artifact's bytes do not match its digest.
        StoreError: One is not there, or can't be read.
        MissingExtra: The library behind one is not installed.
    """
    encoders = {}
    for artifact in texts_among(artifacts):
        try:
            feature, encoder = _OPEN[artifact.format](blobs.get(artifact.digest))
        except msgspec.MsgspecError as error:
            raise StoreError(f"{artifact.name} does not say how texts are read: {error}") from None
        encoders[feature] = encoder
    for at in schema.texts:
        if schema.fields[at].name not in encoders:
            raise StoreError(
                f"nothing says how the texts of {schema.fields[at].name} are read",
                found=f"{len(encoders)} text encoders among {len(artifacts)} artifacts",
                do="Train the model again",
            )
    return Reading(schema, encoders)
