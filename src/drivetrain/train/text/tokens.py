"""Tokens as a text feature: what a transformer reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import UsageError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact
from drivetrain.train.text.folder import file_of, told_apart

FORMAT = "tokens"
"""Format of the artifact."""

_FILE = "tokenizer.json"
_LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class Tokens:
    """A text feature as the numbers of its tokens, for ``dt.Transformer``: no other trainer can read them.

    Args:
        feature: Full name of the feature: text, such as ``sms.message``.
        model: Folder of the pretrained model, with its ``tokenizer.json``.
        longest: Tokens of a text that are read, those at its ends included.

    Raises:
        UsageError: It can't be as asked.
    """

    feature: str
    model: str
    longest: int = 64

    read_by = "transformer"

    def __post_init__(self) -> None:
        if self.longest < 3:
            raise UsageError("a transformer reads too few tokens", found=self.longest, expected="3 or more")

    def __repr__(self) -> str:
        return f"Tokens({self.feature!r}, {told_apart(self.model, _FILE)}, longest={self.longest})"

    def learn(self, texts: Sequence[str | None]) -> TokenEncoder:  # noqa: ARG002 - it was learned elsewhere
        """Reads the tokenizer.

        Raises:
            UsageError: The folder holds none.
            StoreError: It can't be read.
            MissingExtra: tokenizers is not installed.
        """
        return TokenEncoder(Cut(self.feature, self.longest, file_of(self.model, _FILE).read_text("utf-8")))


class Cut(msgspec.Struct, frozen=True):
    """How a feature's texts are cut: by a ``tokenizer.json``, which is text."""

    feature: str
    longest: int
    tokenizer: str


class TokenEncoder:
    """Cuts texts; see :class:`Tokens`. A column holds a token's number and one; 0 says that there is none."""

    format = FORMAT
    names_words = False

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        self._tokenizer: Any = plugins.load("tokenizer", "tokenizers")(cut.tokenizer.encode("utf-8"), cut.longest)
        self.columns: tuple[str, ...] = tuple(f"token {at}" for at in range(cut.longest))

    def write(self, text: str | None, into: np.ndarray) -> None:
        """As :meth:`TextEncoder.write`."""
        ids = self._tokenizer.ids((text or "")[:_LONGEST_TEXT])
        into[: len(ids)] = np.array(ids, dtype=np.float64) + 1.0

    def matrix(self, texts: Sequence[str | None]) -> np.ndarray:
        """As :meth:`TextEncoder.matrix`."""
        made = np.zeros((len(texts), len(self.columns)))
        for row, text in zip(made, texts, strict=True):
            self.write(text, row)
        return made

    def keep(self, blobs: Blobs, feature: str, name: str) -> Artifact:  # noqa: ARG002 - the cut knows the feature
        """As :meth:`TextEncoder.keep`."""
        data = msgspec.json.encode(self.cut)
        return Artifact(name=f"{name}.json", format=FORMAT, digest=blobs.put(data), size=len(data))


def open_tokens(data: bytes) -> tuple[str, TokenEncoder]:
    """The feature and the encoder of an artifact's bytes.

    Raises:
        msgspec.MsgspecError: They say nothing of the kind.
        MissingExtra: tokenizers is not installed.
    """
    cut = msgspec.json.decode(data, type=Cut)
    return cut.feature, TokenEncoder(cut)
