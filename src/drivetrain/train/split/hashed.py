"""Chance that depends on nothing but a text and a seed: a row's draw is the same wherever and whenever it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

from drivetrain.core.errors import TrainingError, UsageError

_UNIT = 2.0**-64


def draws(frame: pl.DataFrame, columns: Sequence[str], seed: int) -> pl.Series:
    """A number in [0, 1) for each row: equal where the columns are, and as good as random where they are not.

    Args:
        frame: The rows.
        columns: What a draw depends on; null is a value like any other.
        seed: Another seed, other draws.

    Raises:
        TrainingError: A column is missing.
    """
    named(frame, columns)
    # A length before each text: ("a", "bc") and ("ab", "c") are two values.
    texts = [pl.col(column).cast(pl.String) for column in columns]
    parts = [pl.format("{}:{}", text.str.len_bytes(), text).fill_null("-") for text in texts]
    keys = frame.select(pl.concat_str(parts).alias("key"))
    each = keys.unique(maintain_order=True)
    key = seed.to_bytes(8, "little", signed=True)
    drawn = [int.from_bytes(blake2b(text.encode(), digest_size=8, key=key).digest()) * _UNIT for text in each["key"]]
    # 2**-64 short of one rounds to one in float64, which no share reaches.
    found = each.with_columns(draw=pl.Series(drawn, dtype=pl.Float64).clip(upper_bound=1.0 - 2.0**-53))
    return keys.join(found, on="key", how="left", maintain_order="left")["draw"]


def named(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    """Makes sure that a training set has columns.

    Raises:
        TrainingError: It lacks one.
    """
    for column in columns:
        if column not in frame.columns:
            raise TrainingError(f"the training set has no column {column}", found=", ".join(frame.columns))


def check_shares(noun: str, test: float, valid: float | None) -> None:
    """Checks shares of rows at the door.

    Raises:
        UsageError: They leave nothing to learn from, or nothing to judge by.
    """
    if not 0 < test < 1 or not (valid is None or 0 < valid < 1) or test + (valid or 0.0) >= 1:
        raise UsageError(
            f"{noun} can't cut rows into these shares",
            found=f"test={test}, valid={valid}", expected="shares above 0 that leave rows to learn from",
            do="For example: test=0.2, valid=0.1, or valid=None",
        )  # fmt: skip
