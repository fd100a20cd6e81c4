from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, HOUR, duration
from drivetrain.core.errors import UsageError
from drivetrain.testing.splitter import AS_OF, BEGIN, Drawn, drawn_rows, frame_of
from drivetrain.train.split import TimeSplit
from drivetrain.train.split.rolling_origin import RollingOrigin


@settings(deadline=None, max_examples=80)
@given(
    drawn_rows,
    st.integers(1, 4),
    st.sampled_from(["5d", "10d"]),
    st.sampled_from(["", "15d"]),
    st.sampled_from(["0s", "2d"]),
)
def test_every_window_is_judged_by_what_was_known_when_it_opened(
    rows: Drawn, folds: int, valid: str, step: str, embargo: str
) -> None:
    split = RollingOrigin(folds=folds, test="20d", valid=valid, step=step, embargo=embargo).cut(frame_of(rows), AS_OF)
    assert len(split.folds) == folds
    test_since = AS_OF - 20 * DAY
    judged = [0] * len(rows)
    for behind, fold in enumerate(reversed(split.folds)):
        opens = test_since - duration(valid) - behind * duration(step or valid)
        closes = opens + duration(valid)
        assert (fold.valid_since, fold.valid_until) == (opens, closes)
        for place, (hour, delay, _, _) in enumerate(rows):
            at = BEGIN + hour * HOUR
            known = at + delay * HOUR
            assert fold.train[place] == (at < opens - duration(embargo) and known <= opens)
            teaches = at < test_since - duration(embargo) and known <= test_since
            assert fold.valid[place] == (teaches and opens <= at < closes)
            judged[place] += fold.valid[place]
    assert max(judged, default=0) <= 1
    last = split.folds[-1]
    assert split.train.equals(last.train)
    assert split.valid.equals(last.valid)


@settings(deadline=None, max_examples=40)
@given(drawn_rows, st.sampled_from(["0s", "2d"]))
def test_one_window_is_a_time_split(rows: Drawn, embargo: str) -> None:
    frame = frame_of(rows)
    one = RollingOrigin(folds=1, test="20d", valid="10d", embargo=embargo).cut(frame, AS_OF)
    known = TimeSplit(test="20d", valid="10d", embargo=embargo).cut(frame, AS_OF)
    for part in ("train", "valid", "test", "refit", "before"):
        assert getattr(one, part).equals(getattr(known, part))


def test_names_of_windows_are_the_days_they_open() -> None:
    split = RollingOrigin(folds=2, test="20d", valid="10d").cut(frame_of([(0, 1, 0, "a")]), AS_OF)
    assert [fold.name for fold in split.folds] == ["2013-03-02", "2013-03-12"]


@pytest.mark.parametrize(
    "wrong",
    [{"folds": 0}, {"test": "0s"}, {"valid": "0d"}, {"valid": "10d", "step": "5d"}, {"embargo": "x"}, {"start": "x"}],
)
def test_windows_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        RollingOrigin(**wrong)  # type: ignore[arg-type]
