"""A window beside those before: what is counted, against a plain count; how often chance is taken for news."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.monitor.tables.world import DAYS, World, watch, world

from drivetrain.core.clock import DAY, HOUR
from drivetrain.monitor.spec import Drift
from drivetrain.monitor.tables.judging import judge_data, stands_data
from drivetrain.monitor.tables.spans import spans_of

WAIT = "10d"
TRIES = 40


def turned(seed: int, turn, *, window: int = 7) -> World:
    made = world(seed)
    now = pl.Series(made.moments >= (DAYS - window) * DAY)
    rows = made.rows.with_columns(_now=now)
    return World(made.moments, made.available, turn(rows).drop("_now"))


def within(now, then):
    return pl.when("_now").then(now).otherwise(then)


def endless(name):
    return pl.when(pl.int_range(pl.len()) % 100 == 0).then(float("inf")).otherwise(name)


@pytest.mark.parametrize("alike", [0.0, 0.9])
@pytest.mark.parametrize("window", ["7d", "1d"])
def test_where_nothing_changes_the_stated_rates_are_kept(window, alike):
    """Smallest changes worth a word are as good as none: what is kept here, chance alone keeps."""
    monitor = watch(window=window, wait=WAIT, fewer=0.001, nulls=0.0001)
    broken, drifted = 0, 0
    for seed in range(TRIES):
        found = judge_data(world(seed, alike=alike).seen(monitor), monitor)
        drifted += any(one.family == "drift" for one in found)
        broken += any(one.family != "drift" for one in found)
    # Stated are .05 each; of forty windows more than six have less than a hundredth of a chance.
    assert broken <= 6
    assert drifted <= 6


def test_every_figure_is_a_plain_count():
    made = world(3)
    monitor = watch(wait=WAIT)
    report = made.seen(monitor)
    now = made.moments >= (DAYS - 7) * DAY
    assert report.rows == int(now.sum())
    weeks = [int(((made.moments // DAY) // 7 == week).sum()) for week in range(8)]
    assert report.volume.value == int(now.sum())
    assert report.volume.middle == np.median(weeks)
    assert report.volume.windows == 8
    gaps = next(one for one in report.columns if one.name == "gaps")
    assert gaps.nulls.value == pytest.approx(made.rows["gaps"].filter(pl.Series(now)).is_null().mean())
    assert report.freshness.value == pytest.approx((DAYS * DAY - int(made.moments.max())) / 1e6)
    assert report.arrival.value == pytest.approx(np.median((made.available - made.moments)[now]) / 1e6)
    many = next(one for one in report.columns if one.name == "many")
    before = set(made.rows["many"].filter(pl.Series(~now)).to_list())
    there = made.rows["many"].filter(pl.Series(now)).to_list()
    assert many.unseen.value == pytest.approx(sum(name not in before for name in there) / len(there))
    kind = next(one for one in report.columns if one.name == "normal")
    assert (kind.low, kind.high) == (
        made.rows["normal"].filter(pl.Series(now)).min(),
        made.rows["normal"].filter(pl.Series(now)).max(),
    )


def test_a_category_held_out_is_counted_as_a_set_of_every_window_would():
    made = world(5)
    report = made.seen(watch(wait=WAIT))
    week = (made.moments // DAY) // 7
    frame = made.rows.select("many").with_columns(week=pl.Series(week))
    alone = []
    for held in range(8):
        others = set(frame.filter(pl.col("week") != held, pl.col("week") < 8)["many"].to_list())
        names = frame.filter(pl.col("week") == held)["many"].to_list()
        alone.append(sum(name not in others for name in names) / len(names))
    many = next(one for one in report.columns if one.name == "many")
    assert many.unseen.middle == pytest.approx(np.median(alone))


@pytest.mark.parametrize(
    ("turn", "rule"),
    [
        (lambda rows: rows.with_columns(normal=within(pl.col("normal") * 60, "normal")), "range.normal"),
        (lambda rows: rows.with_columns(normal=within(pl.lit(None, pl.Float64), "normal")), "nulls.normal"),
        (lambda rows: rows.with_columns(gaps=within(pl.col("gaps").fill_null(0.0), "gaps")), "nulls.gaps"),
        (lambda rows: rows.with_columns(even=within(pl.lit(True), "even")), "constant.even"),
        (lambda rows: rows.with_columns(kind=within(pl.lit("a"), "kind")), "constant.kind"),
        (lambda rows: rows.with_columns(kind=within(pl.lit("z"), "kind")), "unseen.kind"),
        (lambda rows: rows.with_columns(normal=within(endless("normal"), "normal")), "infinite.normal"),
        (lambda rows: rows.with_columns(normal=within(pl.col("normal") + 1, "normal")), "drift.normal"),
        (lambda rows: rows.with_columns(even=within(pl.col("normal") > -0.7, "even")), "drift.even"),
    ],
)  # fmt: skip
def test_what_turned_is_found(turn, rule):
    monitor = watch(wait=WAIT)
    found = {one.rule for one in judge_data(turned(0, turn).seen(monitor), monitor)}
    assert rule in found
    column = rule.partition(".")[2]
    assert {each.partition(".")[2] for each in found} == {column}


def test_a_wrong_time_is_found_of_rows_that_are_late_or_gone():
    made = world(2)
    monitor = watch(wait=WAIT)
    now = made.moments >= (DAYS - 7) * DAY
    late = World(made.moments, made.available + np.where(now, 9 * HOUR, 0), made.rows)
    (finding,) = judge_data(late.seen(monitor), monitor)
    assert finding.rule == "freshness"
    assert "were known only after" in finding.message
    half = ~now | (np.arange(len(now)) % 2 == 0)
    fewer = World(made.moments[half], made.available[half], made.rows.filter(pl.Series(half)))
    assert "volume" in {one.rule for one in judge_data(fewer.seen(monitor), monitor)}


def test_rows_are_counted_as_they_were_known_at_the_end_of_each_window():
    made = world(4)
    late = World(made.moments, made.moments + 2 * DAY, made.rows)
    report = late.seen(watch())
    assert report.volume.value < 0.8 * made.seen(watch(wait=WAIT)).volume.value
    assert not report.volume.odd, "those of before are counted without what came late, too"


def test_of_a_hidden_column_no_value_is_kept():
    monitor = watch(wait=WAIT)
    made = turned(
        1, lambda rows: rows.with_columns(kind=within(pl.lit("Ann Lee"), "kind"), normal=within(777.125, "normal"))
    )
    report = made.seen(monitor, masked=frozenset({"kind", "normal"}))
    told = repr(report) + repr(judge_data(report, monitor))
    assert "Ann Lee" not in told
    assert "777.125" not in told
    assert {one.rule for one in judge_data(report, monitor)} >= {"unseen.kind", "range.normal", "constant.normal"}


def test_what_runs_with_time_is_not_called_drifted():
    made = world(6)
    rows = made.rows.select("normal").with_columns(number=pl.int_range(pl.len()))
    report = World(made.moments, made.available, rows).seen(watch(wait=WAIT))
    number = next(one for one in report.columns if one.name == "number")
    assert "run with time" in number.note
    assert judge_data(report, watch(wait=WAIT)) == []


def test_a_column_may_have_any_name():
    for name in ("count", "value", "rows"):
        made = turned(0, lambda rows: rows.with_columns(kind=within(pl.lit("z"), "kind")))
        rows = made.rows.select(pl.col("kind").alias(name))
        report = World(made.moments, made.available, rows).seen(watch(wait=WAIT))
        assert [one.new for one in report.columns] == [("z",)], name
        assert not any("can't be looked at" in note for note in report.notes)


def test_columns_without_a_value_without_bounds_and_of_odd_types_are_no_trouble():
    made = world(7)
    count = made.rows.height
    rows = pl.DataFrame(
        {
            "empty": pl.Series([None] * count, dtype=pl.Float64),
            "endless": pl.Series([float("inf")] * count),
            "nothing": pl.Series([None] * count),
            "lists": [[1, 2]] * count,
            "day": pl.Series(made.moments).cast(pl.Datetime("us")),
            "bytes": [b"x"] * count,
            "decimal": pl.Series([1.5] * count).cast(pl.Decimal(10, 2)),
            "one": ["a"] * count,
        }
    )
    report = World(made.moments, made.available, rows).seen(watch(wait=WAIT))
    assert len(report.columns) == rows.width
    assert judge_data(report, watch(wait=WAIT)) == []


def test_a_window_without_rows_breaks_volume_and_leaves_the_rest_unknown():
    made = world(8)
    then = made.moments < (DAYS - 7) * DAY
    monitor = watch(wait=WAIT)
    report = World(made.moments[then], made.available[then], made.rows.filter(pl.Series(then))).seen(monitor)
    (finding,) = judge_data(report, monitor)
    assert (finding.rule, finding.severity) == ("volume", "critical")
    assert stands_data("nulls.gaps", report, monitor) == "unknown"
    assert stands_data("drift.gaps", report, monitor) == "unknown"
    assert stands_data("schema", report, monitor) == "kept"


def test_no_rows_where_there_usually_are_none_are_not_told():
    """Nothing comes on the last day of the week."""
    made = world(8)
    there = made.moments // DAY % 7 != (DAYS - 1) % 7
    closed = World(made.moments[there], made.available[there], made.rows.filter(pl.Series(there)))
    monitor = watch(window="1d", wait=WAIT)
    report = closed.seen(monitor)
    assert (report.rows, report.volume.middle, report.volume.judged) == (0, 0, True)
    assert judge_data(report, monitor) == []
    assert stands_data("volume", report, monitor) == "kept"


@pytest.mark.parametrize("weeks", [1, 3])
def test_a_reference_of_few_windows_says_nothing_of_range_and_constancy(weeks):
    made = turned(
        1,
        lambda rows: rows.with_columns(
            normal=within(pl.col("normal") * 60, "normal"), kind=within(pl.lit("a"), "kind")
        ),
    )
    late = made.moments >= (DAYS - 7 - 7 * weeks) * DAY
    monitor = watch(wait=WAIT)
    found = World(made.moments[late], made.available[late], made.rows.filter(pl.Series(late))).seen(monitor)
    assert found.volume.windows == weeks
    assert judge_data(found, monitor) == []
    assert {one.rule for one in judge_data(made.seen(monitor), monitor)} >= {"range.normal", "constant.kind"}


def test_a_running_number_far_from_a_stated_time_is_as_it_should_be():
    made = world(6)
    rows = made.rows.select(number=pl.int_range(pl.len()))
    monitor = watch(wait=WAIT, reference=("1970-01-01", "1970-01-29"))
    report = World(made.moments, made.available, rows).seen(monitor)
    assert report.volume.judged
    assert judge_data(report, monitor) == []


def test_a_stated_time_that_reaches_beyond_a_window_ends_where_it_begins():
    spans = spans_of(watch(reference=("1970-01-01", "1970-03-01")), 42 * DAY, 0)
    assert spans.reference == (0, 42 * DAY)
    assert [since // DAY for since, _ in spans.before] == [0, 7, 14, 21, 28, 35]
    within_it = world(9).seen(watch(wait=WAIT, reference=("1970-01-01", "1970-03-20")))
    assert within_it.reference_until == (DAYS - 7) * DAY
    assert within_it.volume.windows == 8
    after = spans_of(watch(reference=("1970-03-01", "1970-06-01")), 42 * DAY, 0)
    assert after.before == ()
    assert after.place(np.array([42 * DAY])).tolist() == [-1]


def test_a_stated_time_is_a_reference():
    made = world(9)
    monitor = watch(wait=WAIT, reference=("1970-01-01", "1970-02-12"))
    report = made.seen(monitor)
    assert (report.reference_since, report.reference_until) == (0, 42 * DAY)
    assert report.volume.windows == 6
    assert judge_data(report, monitor) == []
    none = made.seen(watch(wait=WAIT, reference=("1960-01-01", "1960-03-01")))
    assert "the reference has no rows" in none.notes[0]
    assert judge_data(none, watch(wait=WAIT)) == []


def test_too_few_windows_are_said_to_be_too_few():
    made = world(10)
    report = made.seen(watch(wait=WAIT, reference="14d"))
    assert report.volume.low is None
    assert any("say what is usual" in note for note in report.notes)
    assert any("too few stretches" in note for note in report.notes)


def test_windows_before_are_of_the_same_day_of_the_week():
    spans = spans_of(watch(window="1d", reference="28d"), 100 * DAY, 0)
    assert [since // DAY for since, _ in spans.before] == [72, 79, 86, 93]
    moments = np.array([72 * DAY, 73 * DAY - 1, 73 * DAY, 93 * DAY + 5])
    assert spans.place(moments).tolist() == [0, 0, -1, 3]
    assert spans.ends(moments).tolist() == [73 * DAY, 73 * DAY, 74 * DAY, 94 * DAY]


def test_drift_is_left_alone_where_it_is_not_asked_for():
    made = turned(1, lambda rows: rows.with_columns(normal=within(pl.col("normal") + 3, "normal")))
    assert made.seen(watch(wait=WAIT, drift=None)).drift == ()
    only = made.seen(watch(wait=WAIT, drift=Drift(features=["even"], reference="trailing")))
    assert {one.feature for one in only.drift} == {"even"}
