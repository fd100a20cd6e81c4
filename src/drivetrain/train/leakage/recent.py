"""Values that come after the moment they are read as of: rows that are recent do not have them yet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drivetrain.core.clock import iso
from drivetrain.core.records import Measure
from drivetrain.train.leakage.alone import area, learn, ranked
from drivetrain.train.leakage.bounds import area_bounds
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.nulls import missing
from drivetrain.train.leakage.subject import Subject

NEWEST = (1.0, 1 / 3, 1 / 10)
"""Shares of the rows that judge, newest first, that are held against the rows that teach."""
HOLDS, BREAKS = 0.7, 0.65
"""What a feature tells labels apart by (ROC AUC) among older rows, at least, and among the newest, at most."""
_FILLED, _EMPTY, _LEAST = 0.1, 0.5, 30
_WAIT = 0.99


def relation_breaks(subject: Subject) -> Iterator[Found]:
    """Features that told the label of older rows and tell nothing of the newest, where later values are not in yet."""
    if not subject.data.split.timed:
        return
    told, newest = _high(subject)
    teach, judge = ~subject.later, subject.later
    if min(_few(told[teach]), _few(told[judge]), _few(newest)) < 1:
        return
    rows = subject.test_rows[subject.test_picks]
    chance = subject.chance / (2 * len(NEWEST))
    for at, field in enumerate(subject.schema.fields):
        values = subject.rows[:, at]
        if np.isnan(values[teach]).all():
            continue
        table = learn(values[teach], told[teach].astype(np.float64))
        older = area(table.bins(values[judge]), table.means, told[judge])
        if area_bounds(older, *_sides(told[judge]), chance)[0] < HOLDS:
            continue
        for share in NEWEST:
            last = slice(len(rows) - int(len(rows) * share), None)
            if _few(newest[last]) < 1:
                continue
            now = area(table.bins(rows[last, at]), table.means, newest[last])
            low, high = area_bounds(now, *_sides(newest[last]), chance)
            if high <= BREAKS:
                since = int(subject.data.test["_at"].dt.epoch("us")[int(subject.test_picks[last][0])])
                yield Found(
                    "relation breaks",
                    field.name,
                    f"{field.name} alone tells labels apart with a ROC AUC of {older:.3f} before {iso(since)} and of "
                    f"{now:.3f} since: its values may be filled in later",
                    Measure(now, low, high, len(newest[last]), subject.rules.level),
                )
                break


def missing_when_recent(subject: Subject) -> Iterator[Found]:
    """Features that older rows have and the newest lack."""
    if not subject.data.split.timed:
        return
    names = subject.schema.names
    test = subject.data.test
    lacking = np.isnan(subject.data.rows).mean(axis=0)
    lacks = test.select(missing(test, name).alias(name) for name in names)
    for at, name in enumerate(names):
        before = float(lacking[at])
        if before > _FILLED:
            continue
        for share in NEWEST:
            newest = lacks[name].tail(int(len(test) * share)).to_numpy()
            if len(newest) >= _LEAST and newest.mean() >= _EMPTY:
                since = test["_at"].dt.epoch("us")[len(test) - len(newest)]
                yield Found(
                    "missing when recent",
                    name,
                    f"{name} is null in {newest.mean():.0%} of the {len(newest):,} rows since {iso(int(since))}, and "
                    f"in {before:.1%} of those that teach: it becomes known later than it is read as of",
                )
                break


def tells_when_the_label_comes(subject: Subject) -> Iterator[Found]:
    """Features that put rows in the order of how long their labels took to be known."""
    wait = (subject.micros("_label_at") - subject.micros("_at"))[subject.picks].astype(np.float64)
    if len(np.unique(wait)) < _LEAST:
        return
    for at, field in enumerate(subject.schema.fields):
        values = subject.rows[:, at]
        known = ~np.isnan(values)
        if field.type != "number" or known.sum() < _LEAST or min(np.ptp(values[known]), np.ptp(wait[known])) == 0:
            continue
        order = float(np.corrcoef(ranked(values[known]), ranked(wait[known]))[0, 1])
        if abs(order) >= _WAIT and len(np.unique(values[known])) >= _LEAST:
            yield Found(
                "tells when the label comes",
                field.name,
                f"{field.name} puts rows in the order of how long their label took to be known (rank correlation "
                f"{order:.4f} over {int(known.sum()):,} rows): it may be measured when that was over",
                Measure(order, None, None, int(known.sum())),
            )


def _high(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """Which labels of the sample, and of the newest rows, are the one of two, the commonest, or the higher half."""
    newest = subject.data.test_labels[subject.test_picks]
    if not len(subject.classes):
        middle = np.median(subject.labels)
        return subject.labels > middle, newest > middle
    counts = [int((subject.labels == one).sum()) for one in subject.classes]
    one = subject.classes[1] if len(counts) == 2 else subject.classes[int(np.argmax(counts))]
    return subject.labels == one, newest == one


def _sides(told: np.ndarray) -> tuple[int, int]:
    return int(told.sum()), int((~told).sum())


def _few(told: np.ndarray) -> int:
    return min(_sides(told)) if len(told) else 0
