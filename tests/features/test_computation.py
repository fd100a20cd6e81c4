from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import FeatureError
from drivetrain.features.aggregate import count, last, mean
from drivetrain.features.computation import Computation
from drivetrain.features.derived import DerivedView
from drivetrain.features.entity import Entity
from drivetrain.features.request import TYPES, RequestFeatures
from drivetrain.features.view import FeatureView
from features.cases import Table

VIEW = FeatureView(
    name="v", entity=Entity("thing", ["key"]), source=Table(), features=(mean("x"), count(), last("s"), last("flag"))
)
FEATURES = VIEW.feature_names
MEAN, COUNT, TEXT, FLAG = FEATURES
KINDS = {"spare": "string", "a": "float", "n": "int", "s": "string", "ok": "bool", "at": "time", "day": "date"}
FIELDS = {name: TYPES[kind] for name, kind in KINDS.items()}


def asked(name, *expressions, **inputs):
    return RequestFeatures(name=name, function=lambda _: list(expressions), inputs=inputs or dict(KINDS))


def derived(name, *expressions, of, **inputs):
    return DerivedView(name=name, of=of, expressions=expressions, inputs=inputs)


CALENDAR = asked(
    "calendar",
    (pl.col("a") * 2 + pl.col("n")).alias("sum"),
    pl.col("at").dt.hour().alias("hour"),
    pl.col("day").dt.weekday().alias("weekday"),
    pl.lit(7).alias("seven"),
)
TEXTS = asked("texts", pl.col("s").str.len_chars().alias("long"), (pl.col("s") == "b").alias("b"))
RATIO = derived(
    "ratio",
    (pl.col(MEAN) / pl.col("calendar.sum")).alias("usual"),
    (pl.col(TEXT) == pl.col("s")).alias("again"),
    pl.col(FLAG).alias("flag"),
    of=(VIEW, CALENDAR),
    s="string",
)
ASIDE = derived("aside", (pl.col(COUNT) + 1).alias("more"), pl.lit("one").alias("one"), of=(VIEW,))
TWICE = derived("twice", (pl.col("ratio.usual") * 2).alias("usual"), pl.lit(1).alias("one"), of=(RATIO, VIEW))
GROUPS = (CALENDAR, RATIO, TEXTS, TWICE, ASIDE)


def one_by_one(groups, rows, found):
    """What each group says by itself of all that is there."""
    frame = pl.DataFrame(rows, schema=FIELDS, orient="row")
    for name, place in ((name, FEATURES.index(name)) for name in FEATURES):
        group = next((one for one in groups if name in one.reads), None)
        if group is not None:
            frame = frame.with_columns(group.column(name, [row[place] for row in found]))
    made = []
    for group in groups:
        made.append(group.evaluate(frame))
        frame = pl.concat([frame, made[-1]], how="horizontal")
    return pl.concat(made, how="horizontal").rows()


def said(values):
    return [tuple("nan" if value != value else value for value in row) for row in values]


NUMBERS = st.none() | st.floats(allow_infinity=False, width=32)
ROW = st.tuples(
    st.text(max_size=2),
    NUMBERS,
    st.none() | st.integers(-(2**40), 2**40),
    st.none() | st.sampled_from(["", "a", "b", "ü"]),
    st.none() | st.booleans(),
    st.none() | st.integers(-(10**15), 10**15),
    st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
)
NULL = st.none() | st.just(math.nan)
FOUND = st.tuples(
    NUMBERS,
    NULL | st.integers(0, 9).map(float),
    NULL | st.sampled_from(["a", "b"]),
    NULL | st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(ROW, FOUND), max_size=5), st.sampled_from([0, 31, 32, 33, 64]))
def test_together_they_are_what_each_is_alone(drawn, more):
    drawn += [drawn[0]] * more if drawn else []
    rows, found = [row for row, _ in drawn], [some for _, some in drawn]
    computation = Computation(GROUPS, FIELDS, FEATURES)
    together = computation._together(rows, found)
    assert said(together) == said(one_by_one(GROUPS, rows, found)) == said(computation._one_by_one(rows, found))
    assert [len(row) for row in together] == [len(computation.names)] * len(rows)


ROWS = [("x", 1.5, 2, "b", True, 3_600_000_000, date(2013, 7, 1))] * 2
FOUND_ROWS = [(10.0, 2.0, "b", True), (math.nan, None, None, math.nan)]


def alone(monkeypatch, groups):
    """A computation that must not ask its groups one by one."""
    made = Computation(groups, FIELDS, FEATURES)
    monkeypatch.setattr(made, "_one_by_one", None)
    return made


def test_their_order_and_values(monkeypatch):
    made = alone(monkeypatch, GROUPS)
    assert made.names == tuple(name for group in GROUPS for name in group.feature_names)
    first, second = made.values(ROWS, FOUND_ROWS)
    assert first == (5.0, 1, 1, 7, 2.0, True, True, 1, True, 4.0, 1, 3.0, "one")
    assert second == (5.0, 1, 1, 7, None, None, None, 1, True, None, 1, None, "one")


def test_a_level_is_one_call_whatever_it_holds(monkeypatch):
    calls = []
    for name in ("with_columns_seq", "select_seq"):
        real = getattr(pl.DataFrame, name)
        monkeypatch.setattr(
            pl.DataFrame, name, lambda self, made, real=real: calls.append(len(made)) or real(self, made)
        )
    Computation(GROUPS, FIELDS, FEATURES).values(ROWS, FOUND_ROWS)
    assert calls == [8, 3, 13]


def test_only_what_is_read_is_put_in_a_frame(monkeypatch):
    seen = []
    real = pl.from_dicts
    monkeypatch.setattr(pl, "from_dicts", lambda rows, schema: seen.extend(schema) or real(rows, schema=schema))
    Computation((TEXTS, ASIDE), FIELDS, FEATURES).values(ROWS, FOUND_ROWS)
    assert sorted(seen) == ["s", COUNT]


@pytest.mark.parametrize(
    ("groups", "values"),
    [
        # One field as two types.
        ((asked("r", pl.col("n") / 4, n="int"), asked("q", pl.col("n").alias("m"), n="string")), (0.5, "2")),
        # A field of another type than the endpoint's.
        ((asked("r", pl.col("n").alias("n"), n="string"),), ("2",)),
        # Nothing at all.
        ((asked("r", pl.lit(1).alias("one")), asked("q", pl.lit(None).alias("none"))), (1, None)),
    ],
)
def test_what_can_not_share_a_frame_is_computed_apart(groups, values):
    computation = Computation(groups, FIELDS, FEATURES)
    assert computation.values(ROWS, FOUND_ROWS) == [values] * 2
    computation.warm()


def test_a_text_where_all_were_null_so_far_is_a_text(monkeypatch):
    group = derived("d", pl.col(TEXT).is_null().alias("new"), of=(VIEW,))
    made = alone(monkeypatch, [group])
    assert [made.values(ROWS[:1], [(None, None, value, None)]) for value in (None, "a", 1.5, True)] == [
        [(True,)],
        [(False,)],
        [(False,)],
        [(False,)],
    ]


def test_the_group_that_fails_is_named():
    strict = asked("strict", pl.col("s").cast(pl.Int64).alias("number"), s="string")
    computation = Computation((CALENDAR, strict), FIELDS, FEATURES)
    with pytest.raises(FeatureError, match="request features 'strict' can't be computed"):
        computation.values(ROWS, FOUND_ROWS)
    good = ("x", None, None, "12", None, None, None)
    assert computation.values([good], [()]) == [(None, None, None, 7, 12)]


def test_lacking_fields_are_told_before_any_request():
    without = {name: kind for name, kind in FIELDS.items() if name != "spare"}
    with pytest.raises(FeatureError, match=r"'calendar' lack fields.*\['spare'\]"):
        Computation((CALENDAR,), without, FEATURES).warm()
