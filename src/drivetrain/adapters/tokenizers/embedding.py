"""Sentence embeddings: a text's tokens through an ONNX graph, and what it says of them made one vector.

Mean pooling over tokens is Reimers and Gurevych's ("Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
EMNLP 2019).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from drivetrain.adapters.tokenizers.tokens import Tokenizer
from drivetrain.core.errors import StoreError

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Embedder:
    """Embeds texts, one at a time, on one thread. Safe to share between threads.

    One at a time, because a graph with eight-bit weights scales what it reads by the largest number of a batch: the
    vector of a text would depend on its neighbours.

    Args:
        graph: An ONNX graph that reads tokens and gives a vector a token, or one a text.
        description: The ``tokenizer.json`` of the same model.
        longest: Tokens of a text that are read.
        pooling: How vectors of tokens become one of the text: their mean, or the first (``cls``).
        normalise: Whether each vector is scaled to length one.

    Raises:
        MissingExtra: tokenizers is not installed.
        StoreError: The graph or the description can't be read.
    """

    def __init__(
        self, graph: bytes, description: bytes, *, longest: int, pooling: Literal["mean", "cls"], normalise: bool
    ) -> None:
        import onnxruntime  # noqa: PLC0415 - deferred: a native library

        self._tokenizer = Tokenizer(description, longest)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - its errors share no base class
            raise StoreError(f"the embedding is no ONNX graph: {error}") from None
        self._inputs = [each.name for each in self._session.get_inputs()]
        if "input_ids" not in self._inputs or set(self._inputs) - set(_INPUTS):
            raise StoreError(
                "the embedding's graph reads something else than tokens",
                found=self._inputs,
                expected=", ".join(_INPUTS),
            )
        self._output = [self._session.get_outputs()[0].name]
        self._pooling, self._normalise = pooling, normalise
        self.width = len(self.vector("a"))
        """How many numbers a vector has."""

    def vector(self, text: str) -> np.ndarray:
        """The vector of a text, float64."""
        ids = np.array([self._tokenizer.ids(text) or [0]], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        said = np.asarray(self._session.run(self._output, {name: given[name] for name in self._inputs})[0], np.float64)
        made: np.ndarray = said[0]
        if made.ndim == 2:
            made = made.mean(axis=0) if self._pooling == "mean" else made[0]
        if self._normalise:
            made = made / max(float(np.linalg.norm(made)), 1e-12)
        return made
