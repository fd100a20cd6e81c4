from __future__ import annotations

import polars as pl
import pytest
from scipy.stats import binomtest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import ContractBreach, ProjectError
from drivetrain.core.records import TableVersion
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.judge import History, _interval, judge, stale
from drivetrain.data.profile import TableProfile, profile_of
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source

FRAME = pl.DataFrame({"x": [1.0, 2.0, None, 4.0], "label": [0, 0, 0, 1], "kind": ["a", "a", "b", None]})


def told(contract, frame=FRAME, history=None, delivered=None):
    found = judge(frame, contract, history or History(), delivered=delivered, columns=lambda: profile_of(frame))
    return [str(failing) for failing in found]


def test_completeness_is_of_the_whole_batch():
    assert told(Contract({"x": Column("float", complete=0.75)})) == []
    assert told(Contract({"x": Column("float", complete=0.8)})) == [
        "x: rows with a value: found 75.00% of 4, expected at least 80.00%"
    ]


def test_checks_of_the_table_must_be_true():
    rules = {
        "mean above 2": pl.col("x").mean() > 2,
        "more than one kind": pl.col("kind").n_unique() > 3,
        "nothing to say": pl.col("x").filter(pl.col("x") > 9).mean() > 3,
    }
    assert told(Contract({}, tables=rules)) == [
        "more than one kind: found false, expected true",
        "nothing to say: found none, expected true",
    ]


def test_balance_allows_for_chance():
    unlike = pl.DataFrame({"label": [1] * 300 + [0] * 700})
    assert told(Contract({}, balance={"label": (0.4, 0.6)})) == []
    assert told(Contract({}, balance={"label": (0.4, 0.6)}), unlike) == [
        "label: share of rows: found 30.00% of 1,000, expected 40.00% to 60.00%"
    ]
    kinds = pl.DataFrame({"kind": ["a"] * 900 + ["b"] * 100})
    assert told(Contract({}, balance={"kind": {"a": (0.8, 1), "b": (0.3, 1)}}), kinds) == [
        "kind = 'b': share of rows: found 10.00% of 1,000, expected 30.00% to 100.00%"
    ]


@pytest.mark.parametrize(("hits", "rows"), [(0, 10), (3, 50), (50, 50)])
def test_the_interval_is_the_exact_one(hits, rows):
    exact = binomtest(hits, rows).proportion_ci(0.999, method="exact")
    assert _interval(hits, rows) == pytest.approx((exact.low, exact.high))


def test_volume_is_held_against_the_median():
    contract = Contract({}, volume=(0.5, 2))
    assert told(contract, history=History([100, 100]), delivered=1) == []
    known = History([90, 100, 1_000])
    assert told(contract, history=known, delivered=50) == []
    assert told(contract, history=known, delivered=49) == [
        "rows of the batch: found 49, expected 50 to 200, as the median of the last 3 is 100"
    ]
    assert told(contract, history=known, delivered=None) == []


def test_drift_names_the_reference():
    before = pl.DataFrame({"x": [float(value % 50) for value in range(5_000)]})
    kept = TableProfile(table="t", version=7, rows=5_000, columns=profile_of(before))
    history = History(reference=lambda: kept)
    contract = Contract({}, drift={"x": 0.2})
    assert told(contract, before.head(400), history) == []
    (said,) = told(contract, before.head(400) * 3, history)
    assert said.startswith("x: distribution: found a distance of ")
    assert "from version 7, expected at most 0.2, and " in said


def test_freshness_is_the_age_of_the_newest_event_or_arrival():
    contract = Contract({}, freshness="1d")
    made = TableVersion(table="t", version=0, digest="", rows=1, last_event=0, last_available=DAY)
    assert stale(contract, made, 2 * DAY) is None
    assert str(stale(contract, made, 4 * DAY + HOUR)) == (
        "age of the newest row: found 3d: it is of 1970-01-02T00:00:00Z, expected at most 1d"
    )
    assert "no row with a time" in str(stale(contract, None, 0))
    assert stale(Contract({}), None, 0) is None


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"volume": (2, 1)}, "volume is two multiples"),
        ({"balance": {"y": (0.5, 1.5)}}, "the balance of 'y' is two shares"),
        ({"freshness": "soon"}, "freshness is not a duration"),
        ({"on_new_column": "keep"}, "on_new_column is unknown"),
    ],
)
def test_rules_that_say_nothing_are_refused(declared, said):
    with pytest.raises(ProjectError, match=said):
        Contract({}, **declared)


def source(**rules):
    return Source(
        name="t",
        reader=files("raw/*.csv"),
        key=("id",),
        time="t",
        contract=Contract(
            {"id": Column("int"), "t": Column("time"), "x": Column("float", complete=rules.pop("complete", None))},
            **rules,
        ),
    )


def lines(first, count, x="1"):
    return "id,t,x\n" + "".join(f"{first + at},2013-06-30,{x}\n" for at in range(count))


def test_a_batch_that_breaks_a_rule_as_a_whole_is_refused_and_the_table_stays(place):
    declared = source(volume=(0.5, 2))
    for number in range(3):
        place.write(f"raw/{number}.csv", lines(100 * number, 20))
        made = place.take(declared)
    place.write("raw/3.csv", lines(900, 5))
    with pytest.raises(ContractBreach, match=r"raw/3\.csv breaks its contract as a whole: rows of the batch: found 5"):
        place.take(declared)
    assert place.store.tables.version("t") == made.version
    place.write("raw/3.csv", lines(900, 4) + "x,2013-06-30,1\n" + lines(900, 1).partition("\n")[2])
    with pytest.raises(ContractBreach, match=r"in 1 of 6 rows \(id: expected a whole number \(1\)\), and as a whole"):
        place.take(declared)
    place.write("raw/3.csv", lines(900, 15))
    assert place.take(declared).rows == 75


def test_warn_counts_the_rule(place):
    place.write("raw/1.csv", lines(0, 4, x=""))
    made = place.take(source(complete=0.5, on_breach="warn"))
    assert made.reasons == {"x: rows with a value": 4}
    assert made.rows == 4


def test_drift_is_held_against_the_table_before_or_a_version(place):
    place.write("raw/0.csv", "id,t,x\n" + "".join(f"{at},2013-06-30,{at % 40}\n" for at in range(400)))
    place.take(source(drift={"x": 0.2}))
    place.write("raw/1.csv", lines(1_000, 300, x="77"))
    with pytest.raises(ContractBreach, match=r"x: distribution: found a distance of .* from version 0"):
        place.take(source(drift={"x": 0.2}))
    place.take(source())
    place.write("raw/2.csv", lines(2_000, 300, x="77"))
    with pytest.raises(ContractBreach, match="from version 0"):
        place.take(source(drift={"x": 0.2}, reference=0))
    assert place.take(source(drift={"x": 9.0}, reference=1)).rows == 1_000


def test_rows_that_are_not_fresh_are_kept_and_said(place):
    place.write("raw/1.csv", lines(0, 4))
    noon = 1_372_593_600_000_000
    assert place.take(source(freshness="1d"), now=noon).rows == 4
    with pytest.raises(ContractBreach, match="source 't' is not fresh: age of the newest row: found 3d"):
        place.take(source(freshness="1d"), now=noon + 3 * DAY)
    assert place.store.catalog.find(TableVersion, "t")[0].rows == 4
    assert place.take(source(freshness="1d", on_breach="warn"), now=noon + 3 * DAY).rows == 4


def test_only_rules_that_judge_a_batch_by_itself_are_part_of_the_meaning():
    plain = Contract({"x": Column("float")})
    same = [
        Contract({"x": Column("float")}, freshness="1d"),
        Contract({"x": Column("float")}, volume=(0.5, 2), drift={"x": 0.1}, reference=3),
        Contract({"x": Column("float")}, on_new_column="fail", renamed={"y": "x"}),
    ]
    other = [
        Contract({"x": Column("float", unique=True)}),
        Contract({"x": Column("float", increasing=True)}),
        Contract({"x": Column("float", complete=0.5)}),
        Contract({"x": Column("float")}, tables={"any": pl.len() > 0}),
        Contract({"x": Column("float")}, balance={"x": (0, 1)}),
        Contract({"x": Column("float")}, on_new_column="add"),
    ]
    assert {one.digest for one in same} == {plain.digest}
    assert len({one.digest for one in [plain, *other]}) == len(other) + 1
    assert plain.digest == "589b549829f36189cf155971363e5d72"  # as before these rules were there
