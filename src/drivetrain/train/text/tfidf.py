"""TF-IDF: how often a piece of a text comes in it, against in how many texts it comes at all.

Term weighting by inverse document frequency is due to Spärck Jones ("A statistical interpretation of term specificity
and its application in retrieval", Journal of Documentation 28, 1972); smoothing and norm are scikit-learn's.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.protocols import Blobs
from drivetrain.core.records import Artifact
from drivetrain.train.text.grams import Cut, char_grams, word_grams

FORMAT = "tfidf"
"""Format of the artifact."""

LONGEST = 10_000
"""Characters of a text that are read; what comes after them is not."""

_BOTH = 2
_LONGEST_RUN = 10


@dataclass(frozen=True)
class Tfidf:
    """A text feature as TF-IDF of its words, or of the characters in them, or both.

    The numbers are those of scikit-learn's ``TfidfVectorizer`` (smoothed idf, each text's vector of length one), one
    vectorizer for words and one for characters. Of a text the first 10,000 characters are read; null is as empty.

    Args:
        feature: Full name of the feature: text, such as ``sms.message``.
        words: Least and most words in a run; none for no words.
        chars: Least and most characters in a run within a word, as ``analyzer="char_wb"``; none for no characters.
        most: How many pieces are kept of each kind, those that come most often; each is a column.
        at_least: In how many texts a piece must come.
        sublinear: Whether a piece that comes n times counts 1 + log n, not n.
        lowercase: Whether case is ignored.

    Raises:
        UsageError: It can't be as asked.

    Example:
        >>> Tfidf("sms.message", chars=(3, 4)).chars
        (3, 4)
    """

    feature: str
    words: tuple[int, int] | None = (1, 1)
    chars: tuple[int, int] | None = None
    most: int = 2_000
    at_least: int = 2
    sublinear: bool = False
    lowercase: bool = True

    read_by = ""

    def __post_init__(self) -> None:
        for name, run in (("words", self.words), ("chars", self.chars)):
            if run is not None and (len(run) != _BOTH or not 1 <= run[0] <= run[1] <= _LONGEST_RUN):
                raise UsageError(f"Tfidf can't count {name} in such runs", found=run, expected="such as (1, 2)")
        if self.words is None and self.chars is None:
            raise UsageError("Tfidf of neither words nor characters", do="Leave words= as it is, or give chars=(3, 5)")
        if self.most < 1 or self.at_least < 1:
            raise UsageError(
                "Tfidf must keep a piece, of a text at least",
                found=f"most={self.most}, at_least={self.at_least}", expected="1 or more",
            )  # fmt: skip

    def learn(self, texts: Sequence[str | None]) -> TfidfEncoder:
        """Learns which pieces there are, and how rare each is.

        Raises:
            TrainingError: No piece comes in as many texts as it must.
        """
        read = [prepared(text, lowercase=self.lowercase) for text in texts]
        if len(set(read)) == 1:
            raise TrainingError(
                f"every text of {self.feature} is the same in the {len(read)} rows that teach",
                found=repr(read[0][:60]),
                do="Remove it from text= and features=, or check where it comes from",
            )
        parts = [(kind, run) for kind, run in (("words", self.words), ("chars", self.chars)) if run is not None]
        found = tuple(self._learned(kind, run, read) for kind, run in parts)
        if not any(part.terms for part in found):
            raise TrainingError(
                f"no piece of {self.feature} comes in {self.at_least} texts or more of the {len(read)} that teach",
                found=f"{sum(not text for text in read)} of them empty",
                do="Ask for fewer with at_least=, or for characters with chars=(3, 5)",
            )
        return TfidfEncoder(Vocabulary(self.feature, found, self.sublinear, self.lowercase))

    def _learned(self, kind: str, run: tuple[int, int], texts: Sequence[str]) -> Part:
        cut = _CUTS[kind](*run)
        often: Counter[str] = Counter()
        spread: Counter[str] = Counter()
        for text in texts:
            pieces = cut(text)
            often.update(pieces)
            spread.update(set(pieces))
        enough = [piece for piece, count in spread.items() if count >= self.at_least and not _HALF(piece)]
        terms = tuple(sorted(sorted(enough, key=lambda piece: (-often[piece], piece))[: self.most]))
        count = len(texts) + 1
        return Part(kind, run, terms, tuple(math.log(count / (1 + spread[term])) + 1.0 for term in terms))


class Part(msgspec.Struct, frozen=True):
    """Pieces of one kind: the terms in order, and the inverse document frequency of each."""

    kind: str
    run: tuple[int, int]
    terms: tuple[str, ...]
    idf: tuple[float, ...]


class Vocabulary(msgspec.Struct, frozen=True):
    """All that was learned of a feature's texts."""

    feature: str
    parts: tuple[Part, ...]
    sublinear: bool
    lowercase: bool


_CUTS = {"words": word_grams, "chars": char_grams}
_HALF = re.compile("[\ud800-\udfff]").search
"""Half a character, which no file can hold."""

_decode = msgspec.json.Decoder(Vocabulary).decode  # not made in a thread


class TfidfEncoder:
    """Makes TF-IDF of texts; see :class:`Tfidf`.

    Args:
        vocabulary: What was learned.
    """

    format = FORMAT
    names_words = True

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.columns: tuple[str, ...] = tuple(
            repr(term) if part.kind == "words" else f"{term!r} in words"
            for part in vocabulary.parts
            for term in part.terms
        )
        self._parts: list[tuple[Cut, dict[str, int]]] = []
        self._idf = [idf for part in vocabulary.parts for idf in part.idf]
        before = 0
        for part in vocabulary.parts:
            places = {term: before + at for at, term in enumerate(part.terms)}
            self._parts.append((_CUTS[part.kind](*part.run), places))
            before += len(part.terms)

    def write(self, text: str | None, into: np.ndarray) -> None:
        """As :meth:`TextEncoder.write`."""
        for at, value in self.sparse(text):
            into[at] = value

    def matrix(self, texts: Sequence[str | None]) -> np.ndarray:
        """As :meth:`TextEncoder.matrix`."""
        made = np.zeros((len(texts), len(self.columns)))
        for row, text in zip(made, texts, strict=True):
            self.write(text, row)
        return made

    def sparse(self, text: str | None) -> list[tuple[int, float]]:
        """Columns that are not zero, and their values; of each kind of piece the squares add up to one."""
        read = prepared(text, lowercase=self.vocabulary.lowercase)
        sublinear, idf = self.vocabulary.sublinear, self._idf
        found: list[tuple[int, float]] = []
        for cut, places in self._parts:
            counts = Counter(map(places.get, cut(read)))
            del counts[None]  # what is in no vocabulary
            weighed = [
                (at, (1.0 + math.log(count) if sublinear else count) * idf[at])
                for at, count in counts.items()
                if at is not None
            ]
            length = math.sqrt(sum([value * value for _, value in weighed])) or 1.0
            found += [(at, value / length) for at, value in weighed]
        return found

    def keep(self, blobs: Blobs, feature: str, name: str) -> Artifact:  # noqa: ARG002 - the vocabulary knows the feature
        """As :meth:`TextEncoder.keep`."""
        data = msgspec.json.encode(self.vocabulary)
        return Artifact(name=f"{name}.json", format=FORMAT, digest=blobs.put(data), size=len(data))


def open_tfidf(data: bytes) -> tuple[str, TfidfEncoder]:
    """The feature and the encoder of an artifact's bytes.

    Raises:
        msgspec.MsgspecError: They are no vocabulary.
    """
    vocabulary = _decode(data)
    return vocabulary.feature, TfidfEncoder(vocabulary)


def prepared(text: str | None, *, lowercase: bool) -> str:
    """A text as it is read: cut at :data:`LONGEST`, and in lower case where that is asked for."""
    read = (text or "")[:LONGEST]
    return read.lower() if lowercase else read
