"""What a model learns from and is judged on where labels take a week to be known."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import DAY, HOUR, datetime_of, micros_of
from drivetrain.loop.stages.train import rows_known
from drivetrain.train.split import TimeSplit

BEGIN = micros_of("2018-07-01")
DAYS = 45


def training_set() -> pl.DataFrame:
    """A row at half past every hour, each known a week later."""
    at = pl.Series(range(BEGIN + HOUR // 2, BEGIN + DAYS * DAY, HOUR), dtype=pl.Int64)
    return pl.DataFrame({"_at": at, "_label_at": at + 7 * DAY}).cast(pl.Datetime("us", "UTC"))


def test_the_last_week_judges_although_its_labels_came_after_its_end():
    """A week to learn from, a week to wait, a week to be judged: the split says only the last of the three."""
    rows, until = rows_known(training_set(), None)
    assert rows.equals(training_set())
    assert until == BEGIN + DAYS * DAY
    split = TimeSplit(test="7d", valid=None, start="2018-07-25").cut(rows, until)
    day = rows["_at"].dt.strftime("%m-%d")
    assert day.filter(split.refit).unique().sort().to_list() == [f"07-{day}" for day in range(25, 32)]
    assert day.filter(split.test).unique().sort().to_list() == [f"08-{day:02}" for day in range(8, 15)]
    assert split.test.sum() == 7 * 24
    assert split.late == 7 * 24


def test_labels_known_after_a_moment_are_left_out_and_the_window_ends_earlier():
    at = BEGIN + 30 * DAY + 11 * HOUR // 2
    rows, until = rows_known(training_set(), at)
    assert rows["_label_at"].max() == datetime_of(at)
    assert until == BEGIN + 24 * DAY
    assert TimeSplit(test="7d", valid=None).cut(rows, until).test.sum() == 6 * 24 + 6  # the last day is not over


def test_a_window_never_ends_after_the_moment():
    quick = training_set().with_columns(_label_at=pl.col("_at"))
    at = BEGIN + 10 * DAY + 5 * HOUR
    assert rows_known(quick, at)[1] == at


def test_no_rows_no_window():
    assert rows_known(training_set(), BEGIN)[1] == 0
