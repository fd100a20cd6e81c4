"""The function that is written for a view says what the long way says, of every row, or leaves it to that."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest

from drivetrain.core.errors import RequestError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.features.aggregate import count, count_distinct, last, since_last, sum
from drivetrain.features.entity import Entity
from drivetrain.features.online.arrive import Arrivals
from drivetrain.features.view import FeatureView
from features.stores import Rows

MOMENT = 1_714_557_600_000_000
COLUMNS = {
    "id": [Column("int", nullable=False), Column("string"), Column("float"), None],
    "card": [Column("string"), Column("int", low=0), Column("float"), None],
    "shop": [Column("string", among=("a", "b")), Column("bool"), None],
    "amount": [Column("float"), Column("float", low=0, high=1000, nullable=False), Column("int", high=9), None],
    "place": [Column("string"), Column("string", pattern="^a"), Column("int", among=(1, 2)), None],
    "flag": [Column("bool", nullable=False), Column("date"), Column("time", low="2024-01-01")],
    "extra": [Column("string", nullable=False), Column("time"), Column("int", low=1), None],
    "time": [Column("time"), Column("date"), Column("time", low="2024-01-01"), None],
    "known": [Column("time"), None],
}
ABSENT = object()
VALUES = [
    *[
        0,
        1,
        -1,
        7,
        12,
        2.0,
        2.5,
        -3.5,
        2000.0,
        -0.0,
        1e300,
        1 << 62,
        (1 << 63) - 1,
        1 << 63,
        -(1 << 63),
        2.0**63,
        1 << 80,
    ],
    *[MOMENT, MOMENT + 5, MOMENT - 5, -(1 << 62), "2024-05-01T10:00:00Z", "2024-05-01", "never", date(2024, 5, 1)],
    *[None, True, False, "", "a", "b", "ab", "a\n", math.nan, math.inf, -math.inf, [1], {"a": 1}, b"a", ABSENT],
    datetime(2024, 5, 1, tzinfo=UTC),
]
USUAL = {
    "id": 1,
    "card": "c",
    "shop": "a",
    "amount": 2.5,
    "place": "a",
    "flag": True,
    "time": MOMENT,
    "known": MOMENT + 1,
}
SHAPES = [
    {},
    {"keys": ("card", "shop"), "identity": ("id", "card"), "available": "known", "delay": 3},
    {"keys": ("id",), "identity": ("place",), "time": None, "available": "known"},
    {"keys": ("amount",), "identity": ("amount",), "delay": 3},
]


def arrivals(columns, keys=("card",), identity=("id",), **more):
    contract = Contract({name: column for name, column in columns.items() if column is not None})
    source = Rows(**{"key": identity, "time": "time", "available": None, "contract": contract, **more})
    features = [count("flag"), sum("amount"), last("place"), count_distinct("card"), since_last(), last("amount")]
    view = FeatureView(name="v", entity=Entity("thing", list(keys)), source=source, features=features)
    return Arrivals(view, source, {"extra": pl.String()})


def said(of, rows):
    """What is made of rows, types and all, or what is said of them."""
    try:
        return repr(of.read(rows))
    except RequestError as error:
        return error.field, str(error)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "column"), [(name, column) for name, some in COLUMNS.items() for column in some])
def test_every_value_of_every_column_is_taken_or_refused_alike(name, column, shape):
    columns = {**{name: some[0] for name, some in COLUMNS.items()}, name: column}
    quick, slow = arrivals(columns, **shape), arrivals(columns, **shape)
    slow._ordinary = None
    for value in VALUES:
        row = {key: one for key, one in {**USUAL, name: value}.items() if one is not ABSENT}
        for rows in ([row], [USUAL, row]):
            assert said(quick, rows) == said(slow, rows)


@pytest.mark.parametrize("amount", [2.5, 3, None, math.nan])
def test_a_value_that_is_not_as_most_are_does_not_send_its_row_the_long_way(amount, monkeypatch):
    of = arrivals({name: some[0] for name, some in COLUMNS.items()})
    monkeypatch.setattr(of, "_arrived", None)
    [(key, time, known, identity, values)] = of.read([{**USUAL, "amount": amount}])
    assert (key, time, known, identity) == (b"e\xa1c", MOMENT, MOMENT, 1)
    assert values[1] == (None if amount is None or math.isnan(amount) else amount)


def test_a_view_with_checks_or_expressions_has_none():
    columns = {name: some[0] for name, some in COLUMNS.items()}
    of = arrivals(columns)
    assert of._ordinary is not None
    checked = Contract({"amount": Column("float")}, checks={"amounts are small": pl.col("amount") < 10})
    source = Rows(key=("id",), time="time", available=None, contract=checked)
    view = FeatureView(name="v", entity=Entity("card", "card"), source=source, features=[sum("amount")])
    assert Arrivals(view, source)._ordinary is None
    computed = replace(view, source=Rows(key=("id",)), features=[sum(pl.col("amount") * 2, name="double")])
    assert Arrivals(computed, Rows(key=("id",)))._ordinary is None
