"""Sentence embeddings as a text feature: a vector that a pretrained model gives, kept with the version."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, UsageError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact
from drivetrain.train.text.folder import file_of, told_apart

FORMAT = "embedding"
"""Format of the artifact."""

_GRAPHS = ("model.onnx", "onnx/model.onnx")
_TOKENS = "tokenizer.json"
_POOLING = "1_Pooling/config.json"
_LONGEST_TEXT = 100_000
_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Embed:
    """A text feature as the vector of a pretrained sentence model.

    Nothing is learned: the model is read from its folder when a version is fitted, and kept with the version, which
    needs the folder no more. Texts are embedded one at a time by ONNX Runtime on one thread, so that a text has one
    vector wherever it is asked.

    Args:
        feature: Full name of the feature: text, such as ``sms.message``.
        model: Folder of the model: ``model.onnx`` (or ``onnx/model.onnx``) and ``tokenizer.json``, as sentence
            transformers are published; what ``1_Pooling/config.json`` says is done, the mean is taken where it is not
            there.
        longest: Tokens of a text that are read.
        normalise: Whether each vector is scaled to length one.

    Raises:
        UsageError: It can't be as asked.
    """

    feature: str
    model: str
    longest: int = 256
    normalise: bool = True

    read_by = ""

    def __post_init__(self) -> None:
        if self.longest < 3:
            raise UsageError("an embedding reads too few tokens", found=self.longest, expected="3 or more")

    def __repr__(self) -> str:
        which = told_apart(self.model, *_GRAPHS, _TOKENS)
        return f"Embed({self.feature!r}, {which}, longest={self.longest}, normalise={self.normalise})"

    def learn(self, texts: Sequence[str | None]) -> EmbeddingEncoder:  # noqa: ARG002 - it was learned elsewhere
        """Reads the model.

        Raises:
            UsageError: The folder holds no such model.
            StoreError: Its files can't be read.
            MissingExtra: tokenizers is not installed.
        """
        graph, tokens = file_of(self.model, *_GRAPHS), file_of(self.model, _TOKENS)
        pooling = Path(self.model).expanduser() / _POOLING
        said = msgspec.json.decode(pooling.read_bytes()) if pooling.is_file() else {}
        manner = Manner(
            feature=self.feature,
            longest=self.longest,
            pooling="cls" if said.get("pooling_mode_cls_token") else "mean",
            normalise=self.normalise,
        )
        return EmbeddingEncoder(manner, graph.read_bytes(), tokens.read_bytes())


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a feature's texts are embedded."""

    feature: str
    longest: int
    pooling: Literal["mean", "cls"]
    normalise: bool


class EmbeddingEncoder:
    """Makes vectors of texts; see :class:`Embed`.

    Args:
        manner: How.
        graph: The ONNX graph.
        tokens: The description of its tokenizer.
    """

    format = FORMAT
    names_words = False

    def __init__(self, manner: Manner, graph: bytes, tokens: bytes) -> None:
        self.manner = manner
        self._files = {"manner.json": msgspec.json.encode(manner), "model.onnx": graph, _TOKENS: tokens}
        self._embedder: Any = plugins.load("embedder", "tokenizers")(
            graph, tokens, longest=manner.longest, pooling=manner.pooling, normalise=manner.normalise
        )
        self.columns: tuple[str, ...] = tuple(f"dimension {at}" for at in range(self._embedder.width))

    def write(self, text: str | None, into: np.ndarray) -> None:
        """As :meth:`TextEncoder.write`."""
        into[:] = self._embedder.vector((text or "")[:_LONGEST_TEXT])

    def matrix(self, texts: Sequence[str | None]) -> np.ndarray:
        """As :meth:`TextEncoder.matrix`; a text that comes again is embedded once."""
        distinct = {text or "": at for at, text in enumerate(dict.fromkeys(text or "" for text in texts))}
        vectors = np.zeros((len(distinct), len(self.columns)))
        for text, at in distinct.items():
            self.write(text, vectors[at])
        made: np.ndarray = vectors[[distinct[text or ""] for text in texts]]
        return made

    def keep(self, blobs: Blobs, feature: str, name: str) -> Artifact:  # noqa: ARG002 - the manner knows the feature
        """As :meth:`TextEncoder.keep`: one file that holds graph, tokens and manner; the same bytes for the same."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for part, data in self._files.items():
                archive.writestr(zipfile.ZipInfo(part, _WHEN), data)
        data = packed.getvalue()
        return Artifact(name=f"{name}.zip", format=FORMAT, digest=blobs.put(data), size=len(data))


def open_embedding(data: bytes) -> tuple[str, EmbeddingEncoder]:
    """The feature and the encoder of an artifact's bytes.

    Raises:
        StoreError: They are no embedding.
        MissingExtra: tokenizers is not installed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manner = msgspec.json.decode(archive.read("manner.json"), type=Manner)
            graph, tokens = archive.read("model.onnx"), archive.read(_TOKENS)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, msgspec.MsgspecError) as error:
        raise StoreError(f"this is no embedding: {error}") from None
    return manner.feature, EmbeddingEncoder(manner, graph, tokens)
