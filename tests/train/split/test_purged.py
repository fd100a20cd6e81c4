from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, HOUR, duration
from drivetrain.core.errors import UsageError
from drivetrain.testing.splitter import AS_OF, BEGIN, Drawn, drawn_rows, frame_of, many
from drivetrain.train.split.purged import PurgedSplit


@settings(deadline=None, max_examples=80)
@given(drawn_rows, st.integers(2, 5), st.sampled_from(["0s", "3d"]), st.sampled_from(["0s", "2d"]))
def test_what_teaches_shares_no_label_with_what_judges(rows: Drawn, folds: int, horizon: str, embargo: str) -> None:
    """By brute force over pairs of rows: spans from prediction to label that meet."""
    split = PurgedSplit(folds=folds, test="20d", horizon=horizon, embargo=embargo).cut(frame_of(rows), AS_OF)
    gap, far = duration(embargo), duration(horizon)
    test_since = AS_OF - 20 * DAY
    spans = [(BEGIN + hour * HOUR, BEGIN + hour * HOUR + max(wait * HOUR, far)) for hour, wait, _, _ in rows]
    usable = [place for place, (at, end) in enumerate(spans) if at < test_since - gap and end <= test_since]
    assert split.refit.arg_true().to_list() == usable
    for fold in split.folds:
        judges = fold.valid.arg_true().to_list()
        for place in usable:
            at, end = spans[place]
            clear = place not in judges and all(
                # Before, the label was known when the other row came up; after, it came up when that one was known.
                end <= fold.valid_since if at < fold.valid_since else at >= spans[judge][1] + gap
                for judge in judges
            )
            if judges:
                assert fold.train[place] == clear, (place, spans[place])
    assert sorted(place for fold in split.folds for place in fold.valid.arg_true().to_list()) == usable


def test_folds_hold_as_many_rows_each_and_lie_one_after_the_other() -> None:
    split = PurgedSplit(folds=4, test="20d").cut(many(), AS_OF)
    counts = [int(fold.valid.sum()) for fold in split.folds]
    assert max(counts) - min(counts) <= 1
    assert [fold.valid_until for fold in split.folds[:-1]] == [fold.valid_since for fold in split.folds[1:]]


def test_moments_that_are_the_same_judge_together() -> None:
    split = PurgedSplit(folds=2, test="20d").cut(frame_of([(10, 1, 0, "a")] * 3 + [(40, 1, 1, "a")] * 3), AS_OF)
    assert [fold.valid.to_list() for fold in split.folds] == [[True] * 3 + [False] * 3, [False] * 3 + [True] * 3]


def test_agrees_with_the_book_where_moments_differ() -> None:
    """Snippets 7.1 and 7.2: train spans that start in, end in, or wrap the test span go, and those in the embargo."""
    frame = many()
    split = PurgedSplit(folds=5, test="20d", embargo="1d").cut(frame, AS_OF)
    at, ends = (frame[name].dt.epoch("us").to_numpy() for name in ("_at", "_label_at"))
    refit = split.refit.to_numpy()
    for fold in split.folds:
        valid = fold.valid.to_numpy()
        first, last = at[valid].min(), ends[valid].max()
        starts_in = (first <= at) & (at < last + DAY)
        ends_in = (first < ends) & (ends <= last)
        wraps = (at <= first) & (last <= ends)
        assert np.array_equal(fold.train.to_numpy(), refit & ~(starts_in | ends_in | wraps))


@pytest.mark.parametrize("wrong", [{"folds": 1}, {"test": "0s"}, {"horizon": "x"}, {"embargo": "x"}, {"start": "x"}])
def test_folds_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        PurgedSplit(**wrong)  # type: ignore[arg-type]
