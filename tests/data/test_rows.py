"""A Python function as a source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import pytest
from tests.data.feeds import LinesFeed, written

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.data.readers.rows import rows
from drivetrain.data.source import Source
from drivetrain.testing.readers import ReaderConformance, some_rows


@dataclass(frozen=True)
class FromFile:
    """A function that can go to another process; gives what is new, latest first."""

    path: str

    def __call__(self, since):
        yield from reversed([row for row in written(self.path) if since is None or row["t"] >= since])

    def size(self):
        return sum(len(str(row)) for row in written(self.path))


class TestFunction(ReaderConformance):
    def feed(self, folder):
        return LinesFeed(
            folder, lambda path: rows(FromFile(path), cursor="t", fresh=FromFile(path).size, batch_rows=100)
        )


del ReaderConformance


def test_whatever_stands_for_rows_is_taken(tmp_path):
    def mixed(since):
        yield {"a": 1}
        yield [{"a": 2}, {"a": 3}]
        yield pl.DataFrame({"a": [4, 5]})

    [batch] = rows(mixed).read(tmp_path, "")
    assert batch.rows["a"].to_list() == [1, 2, 3, 4, 5]
    assert rows(mixed).pending(tmp_path, batch.cursor) is None
    assert list(rows(mixed).read(tmp_path, batch.cursor)) == []


def test_the_cursor_is_handed_over_as_json_holds_it(tmp_path):
    given = []

    def moments(since):
        given.append(since)
        yield {"id": 1, "at": datetime(2013, 7, 1, tzinfo=UTC)}
        yield {"id": 2, "at": datetime(2013, 6, 1, tzinfo=UTC)}
        if len(given) > 1:
            yield {"id": 3, "at": datetime(2013, 7, 1, tzinfo=UTC)}

    reader = rows(moments, cursor="at")
    [first] = reader.read(tmp_path, "")
    [second] = reader.read(tmp_path, first.cursor)
    assert given == [None, "2013-07-01T00:00:00+00:00"]
    # What lies before what was seen may have changed; what has that very moment and was seen has not.
    assert second.rows["id"].to_list() == [2, 3]


def test_a_function_that_fails_is_named_and_one_whose_place_is_away_is_called_again(tmp_path):
    def broken(since):
        yield {"a": 1}
        raise KeyError("no such field")

    with pytest.raises(SourceError, match="rows of broken: it failed with KeyError: 'no such field'"):
        list(rows(broken).read(tmp_path, ""))

    def away(since):
        raise SourceAway("the shop is closed")
        yield

    with pytest.raises(SourceAway, match="the shop is closed"):
        list(rows(away).read(tmp_path, ""))

    def odd(since):
        yield [1, 2]

    with pytest.raises(SourceError, match="what is no row; found int"):
        list(rows(odd).read(tmp_path, ""))
    with pytest.raises(ProjectError, match="1 or more"):
        rows(odd, batch_rows=0)


def test_it_is_taken_in_from_a_project(place):
    def readings(since):
        yield some_rows(3)

    made = place.take(Source(name="r", reader=rows(readings, cursor="t"), key=("id",), time="t"))
    assert made.rows == 3
    assert place.take(Source(name="r", reader=rows(readings, cursor="t"), key=("id",), time="t")) == made
