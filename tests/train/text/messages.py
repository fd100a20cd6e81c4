"""Messages in which something can be learned: some words come in unwanted ones alone."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, HOUR
from train.world import BEGIN, moment

COMMON = (
    "see", "you", "at", "home", "later", "call", "me", "when", "ok", "thanks", "love", "the", "meeting", "is", "on",
    "today", "and", "we", "go", "to", "work",
)  # fmt: skip
UNWANTED = ("free", "win", "prize", "claim", "cash", "urgent", "txt", "now", "ringtone", "£100")


def messages(rows: int = 1_000, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts, and whether each is unwanted; one in a hundred is said wrongly."""
    chance = np.random.default_rng(seed)
    labels = (chance.random(rows) < 0.3).astype(np.float64)
    texts = []
    for label in labels:
        words = list(chance.choice(COMMON, chance.integers(3, 12)))
        if label:
            words += list(chance.choice(UNWANTED, chance.integers(1, 4)))
        texts.append(" ".join(chance.permutation(words)))
    return texts, np.where(chance.random(rows) < 0.01, 1 - labels, labels)


def training_set(rows: int = 1_000, seed: int = 0) -> pl.DataFrame:
    """The same as a training set, with the hour a message came in; every fiftieth is null."""
    texts, labels = messages(rows, seed)
    at = BEGIN + (np.arange(rows) * 100 * DAY) // rows
    return pl.DataFrame(
        {
            "_entity": [f"message-{number}" for number in range(rows)],
            "_at": moment(at),
            "_label": labels,
            "_label_at": moment(at + 6 * HOUR),
            "sms.message": [None if number % 50 == 7 else text for number, text in enumerate(texts)],
            "sms.hour": np.random.default_rng(seed).integers(0, 24, rows).astype(float),
        }
    )
