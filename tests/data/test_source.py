from __future__ import annotations

import polars as pl
import pytest

from drivetrain.core.clock import HOUR
from drivetrain.core.errors import ProjectError
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source


def halve(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("a") / 2)


def third(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("a") / 3)


def test_its_digest_follows_its_meaning():
    reader = files("raw/*.csv")
    base = Source(name="s", reader=reader, key=("k",), time="t", prepare=halve)
    assert base.digest == Source(name="s", reader=reader, key=("k",), time="t", prepare=halve, owner="me").digest
    others = [
        Source(name="s", reader=files("raw/*.jsonl"), key=("k",), time="t", prepare=halve),
        Source(name="s", reader=reader, key=("k", "j"), time="t", prepare=halve),
        Source(name="s", reader=reader, key=("k",), time="t", prepare=third),
        Source(name="s", reader=reader, key=("k",), time="t", prepare=halve, delay=HOUR),
        Source(name="s", reader=reader, key=("k",), time="t", prepare=halve, uses=(base,)),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 6


def test_it_needs_the_tables_it_uses_and_refers_to():
    airports = Source(name="airports", reader=files("a.csv"), key=("faa",))
    contract = Contract({"carrier": Column("string", references=("airlines", "carrier"))})
    flights = Source(
        name="f", reader=files("f.csv"), key=("id",), contract=contract, prepare=lambda r, **_: r, uses=(airports,)
    )
    assert flights.needs == ("airlines", "airports")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"key": ()}, "has no key"),
        ({"key": ("k",), "available": "a"}, "not when they happened"),
        ({"key": ("k",), "delay": 5}, "not when they happened"),
        ({"key": ("k",), "time": "t", "contract": Contract({"t": Column("int")})}, "moments from column 't'"),
        ({"key": ("k",), "uses": (Source(name="o", reader=files("o"), key=("k",)),)}, "no prepare function"),
    ],
)
def test_an_impossible_source_is_named(declared, words):
    with pytest.raises(ProjectError, match=words):
        Source(name="s", reader=files("raw/*.csv"), **declared)
