"""The label among the features: equal to it, recoded, or cut into a few pieces that each have one label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drivetrain.core.records import Field
from drivetrain.train.leakage.bounds import log_chance_of_pieces, log_choose
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

PIECES = 8
"""Leaves of a tree of depth three: with so many pieces at most, such a tree on the feature alone makes no error."""
CODES = 32
"""Most values of a category that could be the label under other names."""
LEAST = 20
"""Rows that at least two labels must have, and values that a number must have, to be told of."""
_STRAY = 1e-3


def target(subject: Subject) -> Iterator[Found]:
    """Features that tell the label of every row of the sample, where chance could not have made it so.

    Rows in which the feature is null are a value of their own, and are then left out: a label that is told wherever it
    is known is told.
    """
    for at, field in enumerate(subject.schema.fields):
        values = subject.rows[:, at]
        known = ~np.isnan(values)
        if known.sum() < 2 * LEAST:
            continue
        said = None
        if len(subject.classes):
            filled = np.where(known, values, -np.inf)
            said = _tells(filled, subject, field, subject.labels)
            if said is None and not known.all():
                said = _tells(values[known], subject, field, subject.labels[known])
        elif field.type == "number":
            said = _in_order(values[known], subject.labels[known])
        if said is not None:
            yield Found("target", field.name, f"{field.name} {said}", certain=True)


def _tells(values: np.ndarray, subject: Subject, field: Field, labels: np.ndarray) -> str | None:
    """How a feature tells one of a few labels of every row; none if it does not."""
    kinds, counts = np.unique(labels, return_counts=True)
    if (counts >= LEAST).sum() < 2:
        return None
    order = np.lexsort((labels, values))
    ordered, told = values[order], labels[order]
    change = np.flatnonzero(told[1:] != told[:-1]) + 1
    if (ordered[change] == ordered[change - 1]).any():
        return None  # one value, two labels
    distinct = len(np.unique(ordered))
    codes = field.type == "category" or distinct <= CODES
    pieces = distinct if codes else len(change) + 1
    if pieces > (CODES if codes else max(PIECES, 2 * len(kinds))):
        return None
    # Of categories any may have any label; of a number, stretches of it.
    others = len(labels) - int(counts.max())
    if codes:
        luck = distinct * np.log(len(kinds)) - log_choose(len(labels), others)
    else:
        luck = log_chance_of_pieces(len(labels), others, PIECES, len(kinds))
    if luck > np.log(subject.chance):
        return None
    cuts = [] if codes else [float(ordered[place - 1] + ordered[place]) / 2 for place in change]
    return _words(np.array_equal(values, labels), distinct, len(kinds), cuts, len(labels))


def _words(equal: bool, distinct: int, kinds: int, cuts: list[float], count: int) -> str:  # noqa: FBT001 - a fact
    rows = f"in all {count:,} rows looked at"
    if equal:
        return f"equals the label {rows}"
    if not cuts:
        return f"tells the label {'one to one' if distinct == kinds else f'by its {distinct} values'} {rows}"
    places = ", ".join(f"{cut:.6g}" for cut in cuts[:3])
    return f"tells the label exactly {rows}: it changes at {places}{' and so on' if len(cuts) > 3 else ''}"


def _in_order(values: np.ndarray, labels: np.ndarray) -> str | None:
    """How a number puts labels that are numbers in order; none if it does not."""
    if min(len(np.unique(values)), len(np.unique(labels))) < LEAST:
        return None
    if np.mean(values != labels) <= _STRAY:
        return f"equals the label in all but {int((values != labels).sum())} of {len(labels):,} rows looked at"
    for sign, words in ((1.0, "rises"), (-1.0, "falls")):
        told = labels[np.lexsort((sign * labels, values))]
        if np.mean(sign * np.diff(told) < 0) <= _STRAY:
            return f"is the label under another scale: the label {words} with it through all {len(labels):,} rows"
    return None
