from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, HOUR, duration
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.train.split import TimeSplit
from train.world import AS_OF, BEGIN, moment

rows = st.lists(st.tuples(st.integers(-5 * 24, 105 * 24), st.integers(0, 30 * 24)), max_size=60)


def frame_of(hours: list[tuple[int, int]]) -> pl.DataFrame:
    at = [BEGIN + hour * HOUR for hour, _ in hours]
    known = [moment_ + delay * HOUR for moment_, (_, delay) in zip(at, hours, strict=True)]
    return pl.DataFrame({"_at": moment(at), "_label_at": moment(known)})


@given(rows, st.sampled_from(["10d", "25d"]), st.sampled_from(["7d", "20d", None]), st.sampled_from(["0s", "2d"]))
def test_no_part_learns_from_its_future(
    hours: list[tuple[int, int]], test: str, valid: str | None, embargo: str
) -> None:
    split = TimeSplit(test=test, valid=valid, embargo=embargo).cut(frame_of(hours), AS_OF)
    test_since = AS_OF - duration(test)
    valid_since = test_since - (duration(valid) if valid else 0)
    gap = duration(embargo)
    assert (split.test_since, split.valid_since, split.until) == (test_since, valid_since, AS_OF)
    late = 0
    for place, (hour, delay) in enumerate(hours):
        at = BEGIN + hour * HOUR
        known = at + delay * HOUR
        assert split.train[place] == (at < valid_since - gap and known <= valid_since)
        assert split.valid[place] == (bool(valid) and valid_since <= at < test_since - gap and known <= test_since)
        assert split.test[place] == (test_since <= at < AS_OF)
        assert split.refit[place] == (at < test_since - gap and known <= test_since)
        late += at < test_since - gap and known > test_since
        assert split.train[place] + split.valid[place] + split.test[place] <= 1
        assert split.refit[place] or not (split.train[place] or split.valid[place])
    assert split.late == late


def test_start_leaves_out_what_is_older() -> None:
    frame = frame_of([(0, 1), (24 * 10, 1), (24 * 40, 1)])
    split = TimeSplit(test="20d", valid="20d", start="2013-01-10").cut(frame, AS_OF)
    assert split.train.to_list() == [False, True, True]
    assert split.since == BEGIN + 10 * DAY


@pytest.mark.parametrize("wrong", [{"test": "0s"}, {"test": "soon"}, {"valid": "0d"}, {"embargo": "x"}, {"start": "x"}])
def test_a_split_that_can_not_be(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        TimeSplit(**wrong)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(TrainingError, match="_label_at"):
        TimeSplit().cut(pl.DataFrame({"_at": moment([0])}), AS_OF)


def test_says_what_it_cut() -> None:
    text = str(TimeSplit(test="20d", valid="20d").cut(frame_of([(0, 1)]), AS_OF))
    assert text.startswith("train 1 rows before 2013-03-02T00:00:00Z")
