"""Every step against values worked out by hand, by brute force, or by scipy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants

from drivetrain.core.clock import HOUR, SECOND
from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.data.cleaning import steps
from drivetrain.data.cleaning.clean import clean
from drivetrain.data.cleaning.units import conversion
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source


def done(step, *tables, **columns):
    return step.apply(pl.DataFrame(columns), dict(tables))


def test_trim():
    frame, told = done(steps.trim("a", "n"), a=[" x  y ", "z", "  ", None], n=[1, 2, 3, 4])
    assert frame["a"].to_list() == ["x y", "z", None, None]
    assert told == {"trim: a changed": 2}


def test_parse_numbers():
    step = steps.parse("a", to="number", decimal=",", thousands=". ", affixes=["€", "EUR"])
    frame, told = done(step, a=["1.234,50 €", "EUR 7", "-3", "12 km", "abc", None])
    assert frame["a"].to_list() == ["1234.50", "7", "-3", "12 km", "abc", None]
    assert told == {"parse: a changed": 2}


def test_parse_times_and_dates():
    step = steps.parse("a", to="time", formats=["%d.%m.%Y %H:%M", "%m/%d/%y %H:%M %z"], zone="America/New_York")
    frame, _ = done(step, a=["01.07.2013 09:30", "07/01/13 09:30 +0200", "31.02.2013 09:30", "10.03.2013 02:30"])
    assert frame["a"].to_list() == [
        "2013-07-01T13:30:00.000000Z",
        "2013-07-01T07:30:00.000000Z",
        "31.02.2013 09:30",
        "10.03.2013 02:30",
    ]
    frame, _ = done(steps.parse("a", to="date", formats=["%d.%m.%Y"]), a=["01.07.2013", "2013"])
    assert frame["a"].to_list() == ["2013-07-01", "2013"]


def test_translate():
    frame, told = done(
        steps.translate("a", "n", values={"NYC": "New York", "-999": None, -999: None}),
        a=["NYC", "-999", "x"],
        n=[-999, 1, None],
    )
    assert frame.rows() == [("New York", None), (None, 1), ("x", None)]
    assert told == {"translate: a changed": 2, "translate: n changed": 1}


def test_units_in_some_rows_and_in_texts():
    step = steps.unit("t", old="F", new="C", where=pl.col("u") == "F")
    frame, told = done(step, t=[212.0, 20.0, None], u=["F", "C", "F"])
    assert frame["t"].to_list() == pytest.approx([100.0, 20.0, None])
    assert told == {"F to C: t changed": 1}
    frame, _ = done(steps.unit("t", old="km", new="m"), t=["1.5", "far"])
    assert frame["t"].to_list() == ["1500.0", "far"]
    with pytest.raises(SourceError, match="holds no numbers"):
        done(steps.unit("t", old="km", new="m"), t=[date(2013, 7, 1)])


@pytest.mark.parametrize(
    ("old", "new", "factor"),
    [
        ("mi", "m", constants.mile),
        ("nmi", "m", constants.nautical_mile),
        ("in", "m", constants.inch),
        ("ft", "m", constants.foot),
        ("yd", "m", constants.yard),
        ("lb", "kg", constants.pound),
        ("oz", "kg", constants.ounce),
        ("mph", "m/s", constants.mph),
        ("kn", "m/s", constants.knot),
        ("km/h", "m/s", constants.kmh),
        ("atm", "Pa", constants.atm),
        ("bar", "Pa", constants.bar),
        ("psi", "Pa", constants.psi),
        ("mmHg", "Pa", constants.mmHg),
        ("inHg", "Pa", constants.mmHg * 25.4),
        ("gal", "l", constants.gallon * 1000),
        ("d", "s", constants.day),
    ],
)
def test_units_are_those_of_scipy(old, new, factor):
    assert conversion(old, new) == (pytest.approx(factor, rel=1e-6), 0.0)


@pytest.mark.parametrize("old", ["C", "F", "K"])
@pytest.mark.parametrize("new", ["C", "F", "K"])
def test_temperatures_are_those_of_scipy(old, new):
    names = {"C": "Celsius", "F": "Fahrenheit", "K": "Kelvin"}
    factor, offset = conversion(old, new)
    for value in (-40.0, 0.0, 21.5):
        assert value * factor + offset == pytest.approx(constants.convert_temperature(value, names[old], names[new]))


def test_cap_and_fill():
    frame, told = done(steps.cap("n", "s", low=0, high=10), n=[-5, 5, 50, None], s=["-1", "x", "11", "3"])
    assert frame.rows() == [(0, "0"), (5, "x"), (10, "10"), (None, "3")]
    assert told == {"cap: n changed": 2, "cap: s changed": 2}
    frame, _ = done(steps.cap("n", high=10), n=[-5, 50])
    assert frame["n"].to_list() == [-5, 10]
    frame, told = done(steps.fill(n=0, s="?"), n=[None, 1], s=["a", None])
    assert frame.rows() == [(0, "a"), (1, "?")]
    assert told == {"fill: n changed": 1, "fill: s changed": 1}


ROW = st.tuples(st.sampled_from("ab"), st.one_of(st.none(), st.integers(0, 20)))


@settings(max_examples=60)
@given(rows=st.lists(ROW, max_size=12), within=st.integers(0, 6), keep=st.sampled_from(["first", "last"]))
def test_duplicates_in_time_against_brute_force(rows, within, keep):
    begin = datetime(2013, 7, 1, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "k": [key for key, _ in rows],
            "t": [None if at is None else begin + timedelta(seconds=at) for _, at in rows],
            "place": list(range(len(rows))),
        },
        schema={"k": pl.String, "t": pl.Datetime("us", "UTC"), "place": pl.Int64},
    )
    made, _ = steps.dedupe("k", time="t", within=within * SECOND, keep=keep).apply(frame, {})
    order = [(at, place, key) for place, (key, at) in enumerate(rows) if at is not None]
    order.sort(reverse=keep == "last")
    kept: list[tuple[int, int, str]] = []
    for at, place, key in order:
        if not any(key == other and abs(at - when) <= within for when, _, other in kept):
            kept.append((at, place, key))
    wanted = {place for _, place, _ in kept} | {place for place, (_, at) in enumerate(rows) if at is None}
    assert set(made["place"]) == wanted
    assert made["place"].is_sorted()


def test_near_duplicates():
    frame, told = done(
        steps.near_duplicates("name", "x", keep="first"),
        name=["Café  Müller", "cafe muller!", "CAFE MULLER", "other", None, None],
        x=[1.001, 1.0, 2.0, 1.0, 1.0, 1.0],
    )
    assert frame["x"].to_list() == [1.001, 2.0, 1.0, 1.0, 1.0]
    assert told == {"near duplicates by name, x: left out": 1}


AIRPORTS = Source(name="airports", reader=files("a.csv"), key=("faa",))
WEATHER = Source(name="weather", reader=files("w.csv"), key=("origin", "at"), time="at", delay=HOUR)


def test_merge_by_key():
    table = pl.DataFrame({"faa": ["EWR", "JFK"], "zone": ["A", "B"]})
    step = steps.merge(AIRPORTS, on={"dest": "faa"}, columns={"zone": "dest_zone"})
    frame, told = done(step, ("airports", table), dest=["JFK", "XXX", None, "EWR"])
    assert frame["dest_zone"].to_list() == ["B", None, None, "A"]
    assert told == {"merge with airports: rows without a match": 2}
    with pytest.raises(SourceError, match="several rows for one key"):
        done(step, ("airports", pl.concat([table, table])), dest=["JFK"])
    with pytest.raises(SourceError, match="a column that is there already; found dest_zone"):
        done(step, ("airports", table), dest=["JFK"], dest_zone=["x"])
    with pytest.raises(SourceError, match=r"its table, lacks the column 'zone'"):
        done(step, ("airports", table.drop("zone")), dest=["JFK"])


OBSERVED = st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(0, 6))
ASKED = st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 20)))


@settings(max_examples=80)
@given(
    table=st.lists(OBSERVED, max_size=8, unique_by=lambda row: row[:2]),
    asked=st.lists(ASKED, max_size=6),
    tolerance=st.one_of(st.none(), st.integers(0, 8)),
)
def test_merge_as_of_a_time_against_brute_force(table, asked, tolerance):
    source = Source(name="w", reader=files("w.csv"), key=("k", "at"), time="at", available="known", delay=2 * HOUR)
    begin = datetime(2013, 7, 1, tzinfo=UTC)
    moment = lambda at: None if at is None else begin + timedelta(hours=at)  # noqa: E731
    zoned = pl.Datetime("us", "UTC")
    there = pl.DataFrame(
        [(key, moment(at), moment(at + late), number) for number, (key, at, late) in enumerate(table)],
        schema={"k": pl.String, "at": zoned, "known": zoned, "v": pl.Int64},
        orient="row",
    )
    here = pl.DataFrame([(key, moment(at)) for key, at in asked], schema={"k": pl.String, "t": zoned}, orient="row")
    span = None if tolerance is None else tolerance * HOUR
    made, _ = steps.merge(source, on="k", columns=["v"], as_of="t", tolerance=span).apply(here, {"w": there})
    wanted = []
    for key, t in asked:
        known = [
            (at, number)
            for number, (other, at, late) in enumerate(table)
            if t is not None and other == key and at + late + 2 <= t
        ]
        newest = max(known, default=None)
        fresh = newest is not None and (tolerance is None or t - newest[0] <= tolerance)
        wanted.append(newest[1] if fresh else None)
    assert made["v"].to_list() == wanted
    assert made.select("k", "t").equals(here)


def test_what_a_step_can_not_be_is_refused():
    for declare in (
        clean,
        steps.trim,
        steps.fill,
        lambda: steps.cap("a"),
        lambda: steps.parse("a", to="date"),
        lambda: steps.unit("a", old="F", new="km"),
        lambda: steps.merge(AIRPORTS, on="faa", columns=["zone"], as_of="t"),
        lambda: steps.merge(WEATHER, on="origin", columns=["temp"], tolerance="1h"),
    ):
        with pytest.raises(ProjectError):
            declare()
    with pytest.raises(SourceError, match=r"the step trim lacks the column 'nam'.*'name' may be 'nam' renamed"):
        done(steps.trim("nam"), name=["x"])


def test_cleaning_is_part_of_a_source(place):
    place.write("airports.csv", "faa,zone\nEWR,A\nJFK,B\n")
    place.write(
        "raw/1.csv",
        'id,day,price,temp,dest\n1,01.07.2013,"1.000,50", 212,EWR\n2,02.07.2013,abc,32,JFK\n2,02.07.2013,7,32,JFK\n'
        "3,2013,5,-500,XXX\n",
    )
    airports = Source(name="airports", reader=files("airports.csv"), key=("faa",))
    place.take(airports)

    def declared(*more):
        return Source(
            name="events",
            reader=files("raw/*.csv"),
            key=("id",),
            contract=Contract({"day": Column("date"), "price": Column("float"), "temp": Column("float", low=-90)}),
            prepare=clean(
                steps.parse("day", to="date", formats=["%d.%m.%Y"]),
                steps.parse("price", to="number", decimal=",", thousands="."),
                steps.unit("temp", old="F", new="C"),
                steps.merge(airports, on={"dest": "faa"}, columns=["zone"]),
                steps.dedupe("id"),
                *more,
            ),
            uses=(airports,),
        )

    made = place.take(declared())
    assert [(row["id"], row["day"], row["price"], row["zone"]) for row in place.rows("events")] == [
        ("1", date(2013, 7, 1), 1000.5, "A"),
        ("2", date(2013, 7, 2), 7.0, "B"),
    ]
    assert [round(row["temp"], 6) for row in place.rows("events")] == [100.0, 0.0]
    # A text that could not be read is shown as it came.
    assert [reasons for _, reasons, _ in place.refused("events")] == [
        ["day: found '2013', expected a date such as 2013-07-01"]
    ]
    assert made.reasons == {
        "parse: day changed": 3,
        "parse: price changed": 1,
        "F to C: temp changed": 4,
        "merge with airports: rows without a match": 1,
        "duplicates by id: left out": 1,
        "day: expected a date such as 2013-07-01": 1,
    }
    assert place.pending(declared()) is None
    assert place.pending(declared(steps.trim("dest"))) == "its definition changed: everything is read again"
    with pytest.raises(ProjectError, match=r"Declare uses=\[airports\]"):
        Source(name="e", reader=files("e.csv"), key=("id",), prepare=clean(steps.merge(airports, on="faa", columns=[])))
