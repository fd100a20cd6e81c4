"""Resources of dlt as sources."""

from __future__ import annotations

from dataclasses import dataclass

import dlt
import pytest
from tests.data.feeds import LinesFeed, written

import drivetrain as dt
from drivetrain.core.errors import ProjectError
from drivetrain.data.source import Source
from drivetrain.testing.readers import ReaderConformance

ROWS = [{"id": number, "at": f"2013-07-{number:02}"} for number in range(1, 6)]
ASKED = []


@dlt.resource
def orders(at=dlt.sources.incremental("at")):
    ASKED.append(at.last_value)
    yield ROWS


@dlt.resource
def customers():
    yield {"id": 7}


@dlt.source
def shop():
    return orders, customers


@dataclass(frozen=True)
class Shop:
    """A factory that can go to another process."""

    path: str

    def __call__(self):
        @dlt.resource(name="rows")
        def given(at=dlt.sources.incremental("t")):
            yield sorted(written(self.path), key=lambda row: row["t"])

        return given

    def size(self):
        return len(written(self.path))


class TestDlt(ReaderConformance):
    def feed(self, folder):
        return LinesFeed(folder, lambda path: dt.dlt(Shop(path), cursor="t", fresh=Shop(path).size, batch_rows=100))


del ReaderConformance


def test_a_resource_is_taken_in_and_told_where_to_begin(place):
    source = Source(name="orders", reader=dt.dlt(shop, name="orders", cursor="at"), key=("id",), time="at")
    assert place.take(source).rows == 5
    assert place.pending(source) is None
    ROWS.append({"id": 6, "at": "2013-07-06"})
    made = place.take(source)
    assert (made.rows, made.added) == (6, 1)
    assert ASKED[-1] == "2013-07-05"
    assert place.take(source) == made


def test_the_resource_is_named(tmp_path):
    [batch] = dt.dlt(shop, name="customers").read(tmp_path, "")
    assert batch.rows.to_dicts() == [{"id": 7}]
    assert dt.dlt(shop, name="customers").digest != dt.dlt(shop, name="orders").digest
    with pytest.raises(ProjectError, match="expected name= one of orders, customers"):
        list(dt.dlt(shop).read(tmp_path, ""))
    with pytest.raises(ProjectError, match="not a dlt source or resource; found int"):
        list(dt.dlt(lambda: 1).read(tmp_path, ""))
