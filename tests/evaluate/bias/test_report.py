"""The report on groups: counted right, and seldom wrong where there is nothing to find."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import BiasGroup, BiasReport
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.groups import MOST_GROUPS, Protected, groupings
from drivetrain.evaluate.bias.report import Question, bias_report
from drivetrain.evaluate.bias.wording import counted_as, findings

SHARES = np.array([0.5, 0.3, 0.15, 0.05])


def world(
    seed: int, days: int = 40, a_day: int = 80, *, luck: float = 0.0, gap: float = 0.0, nulls: float = 0.0
) -> pl.DataFrame:
    """Rows of four carriers and two sexes; ``gap`` lifts the label of one carrier, ``nulls`` its nulls."""
    random = np.random.default_rng(seed)
    rows = days * a_day
    day = np.repeat(np.arange(days), a_day)
    carrier = random.choice(4, rows, p=SHARES)
    margin = -1.2 + luck * random.normal(size=days)[day] + gap * (carrier == 1)
    return pl.DataFrame(
        {
            "_at": pl.Series(day * DAY + random.integers(0, DAY, rows)).cast(pl.Datetime("us", "UTC")),
            "_label": (random.random(rows) < 1 / (1 + np.exp(-margin))).astype(float),
            "carrier": np.array(["AA", "B6", "UA", "VX"])[carrier],
            "female": random.random(rows) < 0.4,
            "age": random.normal(40, 12, rows),
            "wind": np.where(random.random(rows) < 0.04 + nulls * (carrier == 2), np.nan, 1.0),
        }
    ).with_columns(temp=pl.when(pl.col("age") > 25).then(1.0))


def look(frame: pl.DataFrame, *protected: str | Protected) -> BiasReport:
    asked = [Protected(each) if isinstance(each, str) else each for each in protected]
    last = int(frame["_at"].dt.epoch("us").to_numpy().max())
    return bias_report(frame, Question("r", "late", "table:training/late@1", asked, ["wind", "temp"], last + 1), now=1)


def group(report: BiasReport, **values: str) -> BiasGroup:
    return next(found for found in report.groups if found.attributes == values)


def test_counts_are_those_of_the_rows() -> None:
    frame = world(1, gap=0.8)
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) % 7 > 0).then("_label").alias("_label"))
    report = look(frame, "carrier", "female")
    taught = frame.filter(pl.col("_label").is_not_null())
    assert (report.rows, report.unlabelled) == (len(taught), len(frame) - len(taught))
    assert report.positives == int(taught["_label"].sum())
    assert sum(found.rows for found in report.groups if list(found.attributes) == ["carrier"]) == report.rows
    assert len(report.groups) == 4 + 2 + 8
    for found in report.groups:
        mine = taught.filter(*[pl.col(name).cast(pl.String) == value for name, value in found.attributes.items()])
        assert found.rows == len(mine)
        assert found.share.value == pytest.approx(len(mine) / len(taught))
        if found.rate is None:
            assert len(mine) < report.least
            continue
        others = taught.join(mine, on=["_at", "age"], how="anti")
        assert found.positives == int(mine["_label"].sum())
        assert found.rate.value == pytest.approx(mine["_label"].mean())
        assert found.gap is not None
        assert found.gap.value == pytest.approx(mine["_label"].mean() - others["_label"].mean())
    assert report.missing["_label"].value == pytest.approx(report.unlabelled / len(frame))
    assert report.missing["wind"].value == pytest.approx(taught["wind"].is_nan().mean())


def test_what_differs_is_found_and_said() -> None:
    report = look(
        world(2, luck=0.5, gap=0.9, nulls=0.15), Protected("carrier", {"AA": 0.3, "B6": 0.3, "XX": 0.1}), "female"
    )
    assert sure(group(report, carrier="B6").gap)
    assert group(report, carrier="B6").gap.low > 0  # type: ignore[union-attr]
    assert [found.feature for found in group(report, carrier="UA").missing] == ["wind"]
    assert group(report, carrier="AA").beyond.low > 0.15  # type: ignore[union-attr]
    absent = group(report, carrier="XX")
    assert (absent.rows, absent.rate, absent.expected) == (0, None, 0.1)
    assert absent.beyond is not None
    assert absent.beyond.high is not None
    assert absent.beyond.high < 0
    assert not sure(group(report, female="true").gap)
    told = findings(report)
    assert any(line.startswith("carrier B6: ") and "positive, +" in line for line in told)
    assert any("carrier UA: wind is missing in 1" in line for line in told)
    assert any(line.startswith("carrier XX: 0 % of the rows where 10 % are declared, -10.0 points") for line in told)
    assert "rows of a day are taken to share their luck" in counted_as(report)


@pytest.mark.truth
@pytest.mark.parametrize(("luck", "days", "a_day"), [(0.0, 40, 80), (0.6, 10, 200)])
def test_where_nothing_differs_seldom_anything_is_found(luck: float, days: int, a_day: int) -> None:
    """In 80 worlds at 5 %, more than 11 with any false finding of a kind would come by chance once in a thousand."""
    wrong = np.zeros(3)
    expected = dict(zip(("AA", "B6", "UA", "VX"), SHARES.tolist(), strict=True))
    for seed in range(80):
        report = look(
            world(seed, days, a_day, luck=luck).drop("temp").with_columns(temp=pl.lit(1.0)),
            Protected("carrier", expected),
            "female",
        )
        wrong += [
            any(sure(found.gap) for found in report.groups),
            any(found.missing for found in report.groups),
            any(sure(found.beyond) for found in report.groups),
        ]
    assert report.compared == {
        "label rate": report.compared["label rate"],
        "missingness": report.compared["missingness"],
        "representation": 4,
    }
    assert (wrong <= 11).all(), wrong


def test_groups_of_few_rows_are_counted_and_no_more() -> None:
    frame = world(3, days=10, a_day=50)
    report = look(frame, "carrier")
    few = group(report, carrier="VX")
    assert few.rows < report.least
    assert (few.rate, few.gap, few.positives, few.missing) == (None, None, None, ())
    assert few.share.low is not None


def test_two_groups_are_one_comparison() -> None:
    assert look(world(4), "female").compared["label rate"] == 1


def test_rows_of_few_days_stand_alone() -> None:
    report = look(world(5, days=2, a_day=900), "carrier")
    assert report.block == "row"
    assert "each row counts for itself" in counted_as(report)
    assert group(report, carrier="AA").rate is not None


def test_labels_of_a_single_day_make_nothing_sure() -> None:
    """Rows without a label on 20 other days do not say how days differ."""
    frame = world(7, days=20, a_day=480)
    day = pl.col("_at").dt.epoch("us") // DAY
    frame = frame.with_columns(pl.when(day == 3).then("_label").alias("_label"))
    declared = Protected("female", {"true": 0.41, "false": 0.59})
    report = look(frame, declared, "carrier")
    assert (report.rows, report.block) == (480, "row")
    share = group(report, female="true").share
    assert share.low is not None
    assert share.high is not None
    assert share.low < share.value - 0.03
    assert share.high > share.value + 0.03
    assert not sure(group(report, female="true").beyond)


def test_too_few_rows_or_days_are_held_against_no_declared_share() -> None:
    report = look(world(8, days=1, a_day=99), Protected("female", {"true": 0.9, "false": 0.1}))
    assert [found.beyond for found in report.groups] == [None, None]
    assert report.compared["representation"] == 0


def test_nobody_is_singled_out_by_a_personal_attribute() -> None:
    frame = world(9, days=10, a_day=90).with_row_index()
    frame = frame.with_columns(
        carrier=pl.when(pl.col("index") == 5).then(pl.lit("alone")).otherwise("carrier"),
        age=pl.when(pl.col("index") == 6).then(pl.lit(117.25)).otherwise("age"),
    )
    asked = [Protected("carrier"), Protected("female"), Protected("age"), Protected("wind", {"1.0": 1.0})]
    last = int(frame["_at"].dt.epoch("us").to_numpy().max())
    for personal in (frozenset({"carrier", "age"}), frozenset[str]()):
        found = bias_report(frame, Question("r", "late", "t", asked, ["temp"], last + 1, personal), now=1)
        assert "117.25" not in str(found)
        assert ("alone" in str(found)) == (not personal)
        for by in {tuple(each.attributes) for each in found.groups}:
            mine = [each for each in found.groups if tuple(each.attributes) == by]
            assert sum(each.rows for each in mine) == len(frame)
            if personal.intersection(by):
                named = [each for each in mine if set(each.attributes.values()) != {"(all others)"}]
                assert all(each.rows >= 100 for each in named)


@pytest.mark.parametrize("label", [pl.col("age"), pl.col("carrier"), pl.concat_list("carrier")])
def test_labels_that_are_no_yes_or_no_have_no_rate(label: pl.Expr) -> None:
    report = look(world(6).with_columns(label.alias("_label")), "carrier")
    assert report.positives is None
    assert report.compared["label rate"] == 0
    assert all(found.rate is None and found.gap is None for found in report.groups)
    assert group(report, carrier="UA").share.value > 0


def test_rows_without_any_label_are_refused() -> None:
    with pytest.raises(TrainingError, match="no labelled rows"):
        look(world(7).with_columns(_label=pl.lit(None, pl.Float64)), "carrier")


def test_numbers_are_cut_at_their_fifths_and_nulls_are_a_group() -> None:
    ages = pl.Series("age", [float(age) for age in range(1, 101)] + [None, float("nan")])
    (found,) = groupings(pl.DataFrame([ages]), [Protected("age")])
    names = {found.values[code][0]: int(number) for code, number in enumerate(np.bincount(found.codes))}
    assert names == {
        "up to 20": 20, "over 20 to 40": 20, "over 40 to 60": 20, "over 60 to 80": 20, "over 80": 20,
        "(missing)": 2,
    }  # fmt: skip


def test_many_values_are_one_group_and_three_attributes_meet() -> None:
    frame = pl.DataFrame(
        {name: [f"{name}{at % many}" for at in range(3_000)] for name, many in (("a", 60), ("b", 2), ("c", 3))}
    )
    found = groupings(frame, [Protected(name) for name in frame.columns])
    assert [each.attributes for each in found] == [
        ("a",),
        ("b",),
        ("c",),
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("a", "b", "c"),
    ]
    assert all(len(each.values) <= MOST_GROUPS + 1 for each in found)
    assert ("(all others)",) in found[0].values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from([1, 2, 3])), min_size=1, max_size=40))
def test_every_row_is_in_the_group_that_bears_its_values(rows: list[tuple[str | None, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"who": pl.String, "where": pl.Int64}, orient="row")
    for found in groupings(frame, [Protected("who"), Protected("where")]):
        for at, row in enumerate(frame.select(found.attributes).iter_rows()):
            told = tuple("(missing)" if value is None else str(value) for value in row)
            assert found.values[found.codes[at]] == told
        sizes = np.bincount(found.codes, minlength=len(found.values)).tolist()
        assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("shares", [{"a": 0.7, "b": 0.5}, {"a": -0.1}])
def test_shares_of_no_population_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="no shares of one population"):
        Protected("who", shares)
