"""Words of texts: in how many texts each comes, and which rose and fell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats
from drivetrain.train.text.grams import word_grams
from drivetrain.train.text.tfidf import prepared

_LEAST = 10
"""Texts of both sides that a word must come in to be looked at."""
_FALSE = 0.05
"""Chance that any word at all is said to have moved where none did, about."""
_cut = word_grams(1, 1)


class Word(msgspec.Struct, frozen=True):
    """A word that rose or fell.

    Attributes:
        word: The word.
        before: Share of the reference's texts it came in.
        now: Share of the window's.
        score: How many deviations its log-odds moved by.
    """

    word: str
    before: float
    now: float
    score: float


class Cut(NamedTuple):
    """Texts cut into words; each word counts once a text.

    Attributes:
        names: All words there are.
        texts: Which text each is of, ascending.
        words: Which word it is.
        lengths: How many different words each text has.
    """

    names: tuple[str, ...]
    texts: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]


def cut(texts: Sequence[str | None]) -> Cut:
    """Cuts texts as :class:`~drivetrain.train.text.tfidf.Tfidf` does: words of two letters or more, in lower case.

    Example:
        >>> cut(["Win, win a prize", None]).names
        ('win', 'prize')
    """
    known: dict[str, int] = {}
    found: list[int] = []
    lengths = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts):
        mine = dict.fromkeys(_cut(prepared(text, lowercase=True)))
        lengths[row] = len(mine)
        found += [known.setdefault(word, len(known)) for word in mine]
    return Cut(tuple(known), np.repeat(np.arange(len(texts)), lengths), np.asarray(found, np.int64), lengths)


def spread(texts: Sequence[str | None]) -> Counter[str]:
    """In how many texts each word comes."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(dict.fromkeys(_cut(prepared(text, lowercase=True)), 1))
    return found


def log_odds(
    first: Floats, second: Floats, prior: Floats | None = None, totals: tuple[float, float] | None = None
) -> Floats:
    """How many deviations the log-odds of each word moved by, from the first side to the second.

    Source: Monroe, Colaresi and Quinn, "Fightin' words" (2008), equations 15, 16, 20 and 22: counts with a Dirichlet
    prior; the difference of log-odds divided by its deviation.

    Args:
        first: Counts of words, shape (words,).
        second: The same of the other side.
        prior: What is added to each count; by default the shares of both sides together, worth a quarter of the words
            that the smaller side has.
        totals: How many words both sides have; the sums by default. Where some counts are bounds their sum is none.

    Example:
        >>> log_odds(np.array([10.0, 90.0]), np.array([10.0, 90.0])).tolist()
        [0.0, 0.0]
    """
    both = first + second
    many = (float(first.sum()), float(second.sum())) if totals is None else totals
    worth = max(min(many) / 4, 1.0)
    added = worth * (both + 0.01) / (sum(many) + 0.01 * len(both)) if prior is None else prior
    more = worth if prior is None else float(prior.sum())
    one, two = first + added, second + added
    odds = [np.log(side / np.maximum(all_ + more - side, 1e-12)) for side, all_ in zip((one, two), many, strict=True)]
    return np.asarray((odds[1] - odds[0]) / np.sqrt(1 / one + 1 / two))


def may_be_named(word: str) -> bool:
    """Whether a report may hold a word at all: numbers are left out, for they may be somebody's.

    Example:
        >>> may_be_named("prize"), may_be_named("07700")
        (True, False)
    """
    return not any(map(str.isdigit, word))


def moved(
    names: Sequence[str],
    first: Floats,
    second: Floats,
    rows: tuple[int, int],
    most: int = 10,
    totals: tuple[float, float] | None = None,
) -> list[Word]:
    """Words that surely rose or fell, those that moved most first; corrected for all words there are (Bonferroni).

    Args:
        names: The words.
        first: In how many texts of the reference each comes, shape (words,); one more may stand for all others.
        second: The same of the window.
        rows: Texts of both sides.
        most: How many of each kind.
        totals: As of :func:`log_odds`.
    """
    scores = log_odds(first, second, totals=totals)[: len(names)]
    looked = (first + second)[: len(names)] >= _LEAST
    sure = NormalDist().inv_cdf(1 - _FALSE / (2 * max(int(looked.sum()), 1)))
    order = np.argsort(-np.abs(scores), kind="stable")
    found = [
        Word(names[at], float(first[at] / max(rows[0], 1)), float(second[at] / max(rows[1], 1)), float(scores[at]))
        for at in order.tolist()
        if looked[at] and abs(scores[at]) >= sure and may_be_named(names[at])
    ]
    rose = [word for word in found if word.score > 0][:most]
    return rose + [word for word in found if word.score < 0][:most]
