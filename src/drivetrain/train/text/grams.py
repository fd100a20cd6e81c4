"""Pieces of a text: runs of words, and of characters within words; cut as scikit-learn's vectorizers cut them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Cut: TypeAlias = Callable[[str], list[str]]
"""Text → its pieces, in order, as often as they come."""

_WORDS = re.compile(r"\b\w\w+\b").findall


def word_grams(least: int, most: int) -> Cut:
    """Runs of so many words: what ``TfidfVectorizer(ngram_range=(least, most))`` counts.

    A word is two or more letters, digits or underscores, of any script.

    Example:
        >>> word_grams(1, 2)("win a free prize")
        ['win', 'free', 'prize', 'win free', 'free prize']
    """

    def cut(text: str) -> list[str]:
        words = _WORDS(text)
        if most == 1:
            return words
        found = list(words) if least == 1 else []
        for length in range(max(2, least), most + 1):
            found += [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
        return found

    return cut


def char_grams(least: int, most: int) -> Cut:
    """Runs of so many characters within words, spaces at their ends: what ``analyzer="char_wb"`` counts.

    Example:
        >>> char_grams(3, 3)("win!")
        [' wi', 'win', 'in!', 'n! ']
    """
    lengths = range(least, most + 1)

    def cut(text: str) -> list[str]:
        found: list[str] = []
        for word in text.split():
            padded = f" {word} "
            size = len(padded)
            for length in lengths:
                if size <= length:  # a word that is shorter counts once
                    found.append(padded)
                    break
                found += [padded[at : at + length] for at in range(size - length + 1)]
        return found

    return cut
