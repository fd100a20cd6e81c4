"""What a text feature is made of: a declaration that learns, and what it learned, which makes numbers of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from drivetrain.core.errors import ProjectError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact


class TextEncoder(Protocol):
    """Makes numbers of a text, the same for the same text wherever it is asked. Safe to share between threads."""

    @property
    def format(self) -> str:
        """Format of the artifact that holds it."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """What each number stands for, in words that follow the feature's name."""
        ...

    @property
    def names_words(self) -> bool:
        """Whether each number stands for words or pieces of the text, which an explanation may name."""
        ...

    def write(self, text: str | None, into: np.ndarray) -> None:
        """Writes the numbers of a text into a vector of zeros of as many; null is the empty text."""
        ...

    def matrix(self, texts: Sequence[str | None]) -> np.ndarray:
        """The numbers of several, float64 of shape (n, columns)."""
        ...

    def keep(self, blobs: Blobs, feature: str, name: str) -> Artifact:
        """Keeps it as an artifact.

        Args:
            blobs: Where.
            feature: Full name of the feature whose texts it is for.
            name: Beginning of the file's name.
        """
        ...


class Text(Protocol):
    """How a feature's texts become numbers, as a model declares it; its ``repr`` is its meaning."""

    @property
    def feature(self) -> str:
        """Full name of the feature."""
        ...

    @property
    def read_by(self) -> str:
        """Name of the one trainer that can read what comes of it; empty where any can."""
        ...

    def learn(self, texts: Sequence[str | None]) -> TextEncoder:
        """Learns from the texts of the rows that teach, and no others.

        Raises:
            TrainingError: There is nothing to learn from them.
        """
        ...


def check_declared(model: str, texts: Sequence[Text], features: Sequence[str], trainer: str) -> None:
    """Makes sure that what a model declares of its texts can be.

    Args:
        model: The model's name.
        texts: What it declares.
        features: Its features, by full name.
        trainer: Its trainer's name.

    Raises:
        ProjectError: It names a feature that there is not, or one twice, or its trainer can't read what comes of it.
    """
    seen: set[str] = set()
    for each in texts:
        if each.feature not in features:
            raise ProjectError(
                f"model {model!r} reads as text a feature it does not have", found=repr(each.feature),
                expected=f"one of {', '.join(features)}",
            )  # fmt: skip
        if each.feature in seen:
            raise ProjectError(
                f"model {model!r} declares {each.feature!r} as text twice", do="Give the feature under two names"
            )
        if each.read_by not in ("", trainer):
            raise ProjectError(
                f"model {model!r} reads {each.feature!r} as what its trainer can't read",
                found=f"{type(each).__name__}, and the trainer {trainer!r}",
                expected=f"the trainer {each.read_by!r}",
                do="Choose that trainer, or read the text with dt.Tfidf or dt.Embed",
            )
        seen.add(each.feature)
