"""What being missing gives away: a feature that comes with the label, or that is there only where the label is so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from drivetrain.core.records import Measure
from drivetrain.train.leakage.bounds import share_bounds
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

UNLABELLED = 50
"""Rows without a label that there must be, to say that a feature lacks where they do."""
SURE, LIKELY = 0.8, 0.5
"""Share of the rows without a label that lack the feature too, for it to be certain, or worth a warning."""
STRAY = 1e-3
"""Share of the rows with a label that may lack it."""
_SIDE = 30


def known_with_the_label(subject: Subject) -> Iterator[Found]:
    """Features that are missing where there is no label, and hardly anywhere else.

    A flight that was cancelled has no delay, and no time in the air either: what is null exactly where the label is
    became known with it.
    """
    names = subject.schema.names
    lacks = [missing(subject.frame, name).alias(name) for name in names]
    labelled = subject.frame["_label"].is_not_null()
    without, rows = int((~labelled).sum()), int(labelled.sum())
    if without < UNLABELLED or not rows:
        return
    counts = subject.frame.select(lacks).group_by(labelled.alias("labelled")).agg(pl.all().sum())
    there, here = (counts.filter(pl.col("labelled") == side).row(0, named=True) for side in (False, True))
    for name in names:
        share = there[name] / without
        if share < LIKELY or here[name] > STRAY * rows:
            continue
        bounds = share_bounds(there[name], without, subject.chance / 2)
        yield Found(
            "known with the label",
            name,
            f"{name} is null in {there[name]:,} of the {without:,} rows that have no label, and in {here[name]:,} of "
            f"the {rows:,} that have one: it becomes known with the label",
            Measure(share, *bounds, without, subject.rules.level),
            certain=share >= SURE,
        )


def nulls_tell(subject: Subject) -> Iterator[Found]:
    """Features that are null, or known, only where the label is one of the rarer ones."""
    labels = subject.labels
    for at, field in enumerate(subject.schema.fields):
        null = np.isnan(subject.rows[:, at])
        for side, word in ((~null, "known"), (null, "null")):
            count = int(side.sum())
            if not _SIDE <= count < len(labels):
                continue
            told = labels[side][0]
            if (labels[side] != told).any():
                continue
            # By the shares in the sample, in which a rare label is no rarer than in truth.
            share = float((labels == told).mean())
            if share <= 0.5 and count * np.log(share) <= np.log(subject.chance / 2):
                yield Found(
                    "nulls tell",
                    field.name,
                    f"{field.name} is {word} in {count:,} of the {len(labels):,} rows looked at, and the label of "
                    f"every one of them is {told:g}, which {share:.2%} of all have",
                )


def missing(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Whether a value is null, or no number."""
    null = pl.col(column).is_null()
    return null | pl.col(column).is_nan().fill_null(value=False) if frame.schema[column].is_float() else null
