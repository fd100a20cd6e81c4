from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.testing.splitter import AS_OF, Drawn, drawn_rows, frame_of, many
from drivetrain.train.split import TimeSplit
from drivetrain.train.split.group_split import GroupSplit


def parts(frame: pl.DataFrame, split: GroupSplit) -> dict[str | None, str]:
    """Group → its part."""
    cut = split.cut(frame, AS_OF)
    named = {"train": cut.train, "valid": cut.valid, "test": cut.test}
    return {group: part for part, mask in named.items() for group in frame.filter(mask)["group"]}


@settings(deadline=None, max_examples=60)
@given(drawn_rows, drawn_rows, st.integers(0, 5))
def test_a_group_keeps_its_part_as_rows_and_groups_come(rows: Drawn, more: Drawn, seed: int) -> None:
    split = GroupSplit("group", test=0.3, valid=0.3, seed=seed)
    before = parts(frame_of(rows), split)
    assert before.items() <= parts(frame_of([*more, *rows]), split).items()


def test_shares_are_of_groups() -> None:
    frame = frame_of([(place, 1, 0, f"group {place}") for place in range(2_000)])
    cut = GroupSplit("group", test=0.2, valid=0.1).cut(frame, AS_OF)
    assert cut.test.mean() == pytest.approx(0.2, abs=0.03)  # 3.4 standard deviations
    assert cut.valid.mean() == pytest.approx(0.1, abs=0.023)
    other = GroupSplit("group", test=0.2, valid=0.1, seed=1).cut(frame, AS_OF)
    assert (cut.test & other.test).mean() == pytest.approx(0.04, abs=0.015)  # another seed draws anew


def test_columns_together_make_a_group() -> None:
    frame = many()
    cut = GroupSplit(["group", "_entity"]).cut(frame, AS_OF)
    names = frame.filter(cut.test)["group"].unique()
    assert frame.filter(cut.train)["group"].is_in(names.implode()).any()
    tricky = pl.DataFrame({"a": ["x", "xy"], "b": ["yz", "z"], "_at": many(2)["_at"]})
    drawn = [GroupSplit(["a", "b"], test=0.5, valid=None, seed=seed).cut(tricky, AS_OF).test for seed in range(40)]
    assert any(mask[0] != mask[1] for mask in drawn)


@settings(deadline=None, max_examples=60)
@given(drawn_rows)
def test_in_time_a_part_is_what_both_give_to_it(rows: Drawn) -> None:
    frame = frame_of(rows)
    within = TimeSplit(test="30d", valid="20d")
    both, alone = (GroupSplit("group", within=each).cut(frame, AS_OF) for each in (within, None))
    timed = within.cut(frame, AS_OF)
    for part in ("train", "valid", "test"):
        assert getattr(both, part).equals(getattr(timed, part) & getattr(alone, part))
    assert both.timed
    assert not alone.timed


def test_a_group_that_is_not_there() -> None:
    with pytest.raises(TrainingError, match="no column patient"):
        GroupSplit("patient").cut(many(), AS_OF)


@pytest.mark.parametrize("wrong", [{"by": []}, {"test": 0.0}, {"test": 0.7, "valid": 0.3}, {"valid": 0.0}])
def test_groups_that_can_not_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        GroupSplit(**({"by": "group"} | wrong))  # type: ignore[arg-type]
