import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import HOUR
from drivetrain.core.records import Field
from drivetrain.monitor.column import column_of
from drivetrain.monitor.comparison.compare import compare
from drivetrain.monitor.distance import distance
from drivetrain.monitor.sketch.hourly import hourly_sketches
from drivetrain.monitor.sketch.sketch import FEWEST, merged, sketch_of
from drivetrain.monitor.sketch.table import merged_sketches
from drivetrain.monitor.statistics.statistic import STATISTICS

NUMBERS = np.random.default_rng(1).normal(3, 2, 500)
COLUMN = column_of(Field("x"), NUMBERS, np.zeros(500, np.intp), 1)
KINDS = column_of(
    Field("kind", "category", tuple("abcd")), np.repeat([0.0, 1, 2, 3], [300, 100, 98, 2]), np.zeros(500, np.intp), 1
)
parts = st.lists(
    st.lists(st.floats(-50, 50) | st.sampled_from([float("nan"), float("inf")]), max_size=30), min_size=1, max_size=6
)


@given(parts)
@settings(max_examples=40, deadline=None)
def test_parts_merged_are_the_sketch_of_the_whole(found):
    whole = np.array([value for part in found for value in part], float)
    one = merged([sketch_of(COLUMN, np.array(part, float)) for part in found])
    assert one.counts == sketch_of(COLUMN, whole).counts
    assert one.infinite == np.isinf(whole).sum()
    told = [value for part in found if np.isfinite(part).sum() >= FEWEST for value in part if np.isfinite(value)]
    assert one.described == len(told)
    if told:
        assert one.mean == pytest.approx(np.mean(told), abs=1e-9)
        assert one.deviation == pytest.approx(np.std(told), abs=1e-7)


def test_no_single_value_is_kept():
    few = sketch_of(COLUMN, np.array([1.25, 2.0]))
    assert (few.described, few.mean, few.squares) == (0, 0.0, 0.0)
    rare = sketch_of(KINDS, np.array([3.0] * 10))
    assert rare.counts == (0, 0, 0, 10, 0)
    assert KINDS.names[3] == "rare ones"
    assert rare.described == 0


def test_hours_at_once_are_hours_one_by_one():
    dice = np.random.default_rng(2)
    values = np.where(dice.random(400) < 0.1, np.nan, dice.normal(3, 2, 400))
    values[3] = np.inf
    ats = np.sort(dice.integers(0, 30 * HOUR, 400))
    rows = hourly_sketches(COLUMN, values, ats, 7)
    assert set(rows["version"]) == {7}
    for row in rows.iter_rows(named=True):
        one = sketch_of(COLUMN, values[ats // HOUR * HOUR == row["hour"]])
        assert tuple(np.frombuffer(row["counts"], "<i8").tolist()) == one.counts
        assert (row["rows"], row["infinite"], row["described"]) == (one.rows, one.infinite, one.described)
        assert row["mean"] == pytest.approx(one.mean, abs=1e-12)
        assert row["squares"] == pytest.approx(one.squares, abs=1e-9)
    assert merged_sketches(rows)["x"].counts == sketch_of(COLUMN, values).counts


@pytest.mark.parametrize("name", STATISTICS)
def test_drift_from_sketches_of_fine_bins_is_within_a_hundredth_of_exact(name):
    """250 bins of the reference's quantiles; of twenty bins where a statistic is of bins."""
    dice = np.random.default_rng(3)
    then, now = dice.normal(size=40_000), dice.normal(0.2, 1.1, 30_000)
    exact = compare(pl.DataFrame({"x": then}), pl.DataFrame({"x": now}), statistics=[name]).of("x", name).value
    fine = STATISTICS[name].gaps is not None
    column = column_of(Field("x"), then, np.zeros(len(then), np.intp), 1, most=250 if fine else 20)
    left, right = (merged([sketch_of(column, part) for part in np.array_split(side, 40)]) for side in (then, now))
    assert float(distance(name, left.histogram, right.histogram, column.widths)) == pytest.approx(exact, abs=0.01)
