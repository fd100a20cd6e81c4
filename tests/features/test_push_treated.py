"""Pushed events of a table that treats columns: the values that its treated rows give, and the same event once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import ProjectError, RequestError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.privacy.vault import vault
from drivetrain.data.treating import treated
from drivetrain.data.treatment import drop, generalise, mask, pseudonym, pseudonym_of, truncate
from drivetrain.features.aggregate import count, count_distinct, last, sum
from drivetrain.features.entity import Entity
from drivetrain.features.online.materialise import materialise
from drivetrain.features.online.push import Pusher
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.view import FeatureView
from features.stores import FakeStore, Rows

KEY = b"k" * 32
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Keys:
    def key(self, place):
        return KEY

    def subjects(self, place, subjects):
        return dict.fromkeys(subjects, KEY)


COLUMNS = {
    "id": Column("string", nullable=False, treat=pseudonym(key="env:K")),
    "time": Column("time"),
    "who": Column("string", treat=pseudonym(key="env:K")),
    "age": Column("int", low=0, treat=generalise(bins=[18, 30])),
    "mail": Column("string", treat=mask()),
    "zip": Column("int", treat=truncate(2)),
    "born": Column("date", treat=generalise(to="year")),
    "card": Column("string", treat=vault(key="env:K", subject="who")),
    "amount": Column("float"),
}
SOURCE = Rows(key=("id",), time="time", available=None, contract=Contract(COLUMNS))
VIEW = FeatureView(
    name="buyer",
    entity=Entity("who", "who"),
    source=SOURCE,
    features=[
        count(windows="1d"),
        count(where=pl.col("age") == "<18", windows="1d", name="young"),
        sum("amount", windows="1d"),
        last("mail"),
        last("zip"),
        last("card"),
        last(pl.col("born").dt.year().cast(pl.String), name="year"),
        count_distinct("mail", windows="1d"),
    ],
)
_texts = st.sampled_from(["ada@example.org", "bob@example.org", "abc", ""])
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.sampled_from(["ada", "bob"]),
            "age": st.none() | st.integers(0, 99),
            "mail": st.none() | _texts,
            "zip": st.none() | st.integers(10_000, 99_999),
            "born": st.none() | st.dates(datetime(1920, 1, 1).date(), datetime(2020, 1, 1).date()),  # noqa: DTZ001
            "card": st.none() | _texts,
            "amount": st.none() | st.integers(0, 100).map(float),
        }
    ),
    min_size=1,
    max_size=6,
)


def rows_of(events):
    return [{**one, "id": f"e{n}", "time": NOON - timedelta(minutes=60 - n)} for n, one in enumerate(events)]


def table_of(rows):
    """Rows as ingestion writes them."""
    frame = pl.DataFrame(rows, schema={name: column.dtype for name, column in COLUMNS.items()})
    kept = treated(frame, SOURCE.contract, Keys())
    return kept.with_columns(
        _event_time=pl.col("time"), _available_at=pl.col("time"), _seq=pl.int_range(pl.len(), dtype=pl.Int64)
    )


def read(store, who):
    [(values, _)] = OnlineReader(store.online, [VIEW]).read([{"who": pseudonym_of(KEY, who)}], [micros_of(NOON)])
    return [None if value != value else value for value in values]


@settings(max_examples=12)
@given(EVENTS)
def test_what_is_pushed_reads_as_what_its_rows_read_as_and_counts_once(events):
    rows = rows_of(events)
    pushed, landed = FakeStore(), FakeStore()
    Pusher(pushed.online, VIEW, SOURCE, keys=Keys()).push(rows)
    version = landed.tables.put("events", table_of(rows))
    materialise(landed, VIEW, version, now=10**16, grace=10**6)
    wanted = {who: read(landed, who) for who in ("ada", "bob")}
    assert {who: read(pushed, who) for who in wanted} == wanted
    version = pushed.tables.put("events", table_of(rows))
    materialise(pushed, VIEW, version, now=10**16, grace=10**6)
    assert {who: read(pushed, who) for who in wanted} == wanted


def test_rules_look_at_the_raw_value():
    store = FakeStore()
    [row] = rows_of([{"who": "ada", "age": -1, "mail": None, "zip": 1, "born": None, "card": None, "amount": 1.0}])
    with pytest.raises(RequestError, match="'age' is too small"):
        Pusher(store.online, VIEW, SOURCE, keys=Keys()).push([row])


def test_what_is_not_kept_is_in_no_view():
    source = Rows(key=("id",), time="time", contract=Contract({**COLUMNS, "amount": Column("float", treat=drop())}))
    with pytest.raises(ProjectError, match="reads 'amount', which is not kept"):
        Pusher(FakeStore().online, VIEW, source, keys=Keys())
