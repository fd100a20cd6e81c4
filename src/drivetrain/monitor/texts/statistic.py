"""What is measured of texts and vectors, by name, and from which value on each is worth a word."""

from __future__ import annotations

from typing import Literal, TypeAlias

TextStatistic: TypeAlias = Literal["mmd", "classifier", "words", "unseen_words", "length", "script", "norm", "no_value"]

OF_TEXTS: tuple[TextStatistic, ...] = ("mmd", "classifier", "words", "unseen_words", "length", "script")
OF_VECTORS: tuple[TextStatistic, ...] = ("mmd", "classifier", "norm", "no_value")

EFFECTS: dict[str, float] = {
    "mmd": 0.025,
    "classifier": 0.6,
    "words": 0.1,
    "unseen_words": 0.02,
    "length": 0.1,
    "script": 0.05,
    "norm": 0.1,
    "no_value": 0.02,
}
"""``mmd``: distance of mean features, 0 to √2. ``classifier``: area under the ROC curve. ``words``: Jensen-Shannon
distance of the shares of words, in bits. ``unseen_words``: share of the window's words that the reference has nowhere,
beyond what lots give.
``length`` and ``norm``: the largest gap between distribution functions. ``script`` and ``no_value``: share of rows that
would change."""
