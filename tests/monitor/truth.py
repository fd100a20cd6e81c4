"""How much is simulated (``TRUTH=long`` for the tables of the docs), and what luck allows at a stated rate."""

from __future__ import annotations

import os

from scipy.stats import binom

LONG = os.environ.get("TRUTH") == "long"
LUCK = 1e-4
"""Of a test whose rate is what is stated, this share fails."""


def sized(usual: int, long: int) -> int:
    """How many tries."""
    return long if LONG else usual


def most(rate: float, tries: int) -> int:
    """The most that luck allows of something that happens at a rate: more comes once in ten thousand times."""
    return int(binom.isf(LUCK, tries, rate))


def least(rate: float, tries: int) -> int:
    """The least that luck allows."""
    return int(binom.ppf(LUCK, tries, rate))
