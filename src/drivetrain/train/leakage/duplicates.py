"""Rows that judge and have a twin among those that teach: the same in every feature and the label, or nearly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drivetrain.core.records import Measure
from drivetrain.train.leakage.alone import ranked
from drivetrain.train.leakage.bounds import share_bounds
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

SHARE, LEAST = 1e-3, 5
"""Share of the rows that judge, and number of them, that must have a twin to be told of."""
NEAR_TEACH, NEAR_JUDGE = 200_000, 50_000
"""Rows, the latest that teach and an even sample of those that judge, among which near twins are looked for."""
GRID = 512
"""Numbers are near that fall into the same of so many parts of the distance between their quartiles."""
_ALIKE = 0.9
_COLUMNS = 6
_SHIFT = np.uint64(32)


def duplicates(subject: Subject) -> Iterator[Found]:
    """Rows that judge and were learned from.

    Where features are coarse, rows are alike by chance: twins are looked for only where numbers tell rows apart so
    well that less than one pair is expected to meet by chance. They are then told of as what they are; whether a copy,
    or a subject about whom nothing has changed, only who knows the rows can say.
    """
    data = subject.data
    if not len(data.test):
        return
    told = _telling(subject, len(data.rows), len(data.test))
    if told is None:
        return
    judged = ~np.isnan(subject.test_rows[:, told]).any(axis=1)
    if not judged.any():
        return
    names = " and ".join(subject.schema.names[at] for at in told[:2])
    twin = judged & _twins(subject.test_rows, subject.data.test_labels, data.rows, data.labels, told)
    yield from _found("duplicates", "the same", subject, int(twin.sum()), int(judged.sum()), names)
    yield from _near(subject, np.flatnonzero(judged & ~twin), names)


def _near(subject: Subject, places: np.ndarray, names: str) -> Iterator[Found]:
    data = subject.data
    told = _telling(subject, NEAR_TEACH, NEAR_JUDGE, grid=GRID)
    if told is None or not len(places):
        return
    places = places[np.linspace(0, len(places) - 1, min(len(places), NEAR_JUDGE)).astype(np.int64)]
    ends = np.nanquantile(subject.rows[:, told], (0.25, 0.5, 0.75), axis=0)
    size = (ends[2] - ends[0]) / GRID
    mine = np.floor((subject.test_rows[places][:, told] - ends[1]) / size)
    theirs = np.floor((data.rows[-NEAR_TEACH:, told] - ends[1]) / size)
    whole = ~np.isnan(mine).any(axis=1)
    every = list(range(len(told)))
    near = whole & _twins(mine, subject.data.test_labels[places], theirs, data.labels[-NEAR_TEACH:], every)
    yield from _found("near duplicates", "nearly the same", subject, int(near.sum()), int(whole.sum()), names)


def _twins(
    rows: np.ndarray, labels: np.ndarray, others: np.ndarray, other_labels: np.ndarray, first: list[int]
) -> np.ndarray:
    """Which rows have one with the same label among others.

    Args:
        rows: Shape (n, columns).
        labels: Shape (n,).
        others: Shape (m, columns).
        other_labels: Shape (m,).
        first: Columns that tell nearly all rows apart: the rest is looked at only in rows that are the same in these.
    """
    mine, theirs = _hashes(rows[:, first], labels), _hashes(others[:, first], other_labels)
    mine_too, theirs_too = _meet(mine, theirs), _meet(theirs, mine)
    if not mine_too.any():
        return mine_too
    found = mine_too.copy()
    found[mine_too] = _meet(
        _hashes(rows[mine_too], labels[mine_too]), _hashes(others[theirs_too], other_labels[theirs_too])
    )
    return found


def _meet(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which numbers are among others."""
    ordered = np.sort(other)
    places = np.minimum(np.searchsorted(ordered, one), len(ordered) - 1)
    return np.asarray(ordered[places] == one) if len(ordered) else np.zeros(len(one), dtype=bool)


def _found(check: str, word: str, subject: Subject, twins: int, looked: int, names: str) -> Iterator[Found]:
    if twins < max(LEAST, SHARE * looked):
        return
    share = Measure(
        twins / looked, *share_bounds(twins, looked, (1 - subject.rules.level) / 2), looked, subject.rules.level
    )
    yield Found(
        check,
        "",
        f"{twins:,} of {looked:,} rows that judge have a row that teaches {word} in its features and label, "
        f"{names} among them: the model may have learned them by heart",
        share,
    )


def _telling(subject: Subject, teach: int, judge: int, grid: int | None = None) -> list[int] | None:
    """Numbers that tell rows apart together, so that less than one pair of all meets by chance; none if they can't."""
    rows, pairs = subject.rows, float(teach) * float(judge)
    meets = []
    for at, field in enumerate(subject.schema.fields):
        known = rows[~np.isnan(rows[:, at]), at]
        if field.type != "number" or len(known) < len(rows) / 2 or len(known) < 100:
            continue
        if grid is not None:
            low, high = np.quantile(known, (0.25, 0.75))
            if high == low:
                continue
            known = np.floor((known - low) / ((high - low) / grid))
        _, counts = np.unique(known, return_counts=True)
        meets.append((max(float(((counts / len(known)) ** 2).sum()), 1.0 / len(known)), at))
    chosen: list[int] = []
    for chance, at in sorted(meets):
        if len(chosen) == _COLUMNS or chance > 0.05:
            break
        if all(_apart(rows[:, at], rows[:, other]) for other in chosen):
            chosen.append(at)
            pairs *= chance
        if pairs < 1.0 and len(chosen) > 1:
            return chosen
    return None


def _apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two numbers are more than one in other words."""
    known = ~(np.isnan(one) | np.isnan(other))
    if known.sum() < 100 or min(np.ptp(one[known]), np.ptp(other[known])) == 0:
        return False
    return abs(float(np.corrcoef(ranked(one[known]), ranked(other[known]))[0, 1])) < _ALIKE


def _hashes(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A number for each row and its label: equal rows, equal numbers; nulls are equal."""
    random = np.random.default_rng(20261128)
    odd = random.integers(0, 2**63, rows.shape[1] + 1, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    found: np.ndarray = _mixed(labels) * odd[-1]
    for at in range(rows.shape[1]):
        found += _mixed(rows[:, at]) * odd[at]
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    """The bits of numbers, high ones folded into low: those of whole numbers end in zeros."""
    plain: np.ndarray = values + 0.0  # minus nothing is nothing
    plain[np.isnan(plain)] = np.nan
    bits = plain.view(np.uint64)
    return np.asarray(bits ^ (bits >> _SHIFT))
