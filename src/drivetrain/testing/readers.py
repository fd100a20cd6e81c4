"""What every reader of raw rows must do."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from drivetrain.core.errors import SourceError
from drivetrain.core.progress import Silent
from drivetrain.core.records import TableVersion
from drivetrain.core.settings import StoreSettings
from drivetrain.data import quarantine
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.ingest import ingest, pending
from drivetrain.data.reader import Batch, Reader
from drivetrain.data.resume import Retry
from drivetrain.data.source import Source
from drivetrain.store.bundle import Store
from drivetrain.store.memory import MemoryBlobs, MemoryCatalog, MemoryLeases, MemoryOnline, MemoryRunLog
from drivetrain.store.tables import Tables

Row: TypeAlias = dict[str, Any]
"""``id`` (whole number), ``t`` (moment as ISO 8601 text) and ``x`` (whole number)."""

_CONTRACT = Contract({"id": Column("int"), "t": Column("time"), "x": Column("int", low=0)})
_BEGIN = datetime(2013, 7, 1, tzinfo=UTC)
_ROUNDS = int(os.environ.get("DRIVETRAIN_TESTING_KILLS", "3"))
"""Rounds of three deaths each."""
_log = logging.getLogger(__name__)


class Feed(ABC):
    """A place that rows are delivered to, and the reader of that place."""

    most: int = 100
    """Rows that a batch of the reader may hold."""

    @property
    @abstractmethod
    def reader(self) -> Reader:
        """Reads the place."""

    @abstractmethod
    def deliver(self, rows: Sequence[Row]) -> None:
        """Puts rows behind those that are there; they are later than those."""

    def vanish(self) -> None:
        """Makes the place go away; only called where the suite's ``can_vanish`` holds."""
        raise NotImplementedError


def some_rows(number: int, *, first: int = 1) -> list[Row]:
    """Rows with rising ids and moments."""
    return [
        {"id": at, "t": (_BEGIN + timedelta(minutes=at)).strftime("%Y-%m-%dT%H:%M:%SZ"), "x": at * 10}
        for at in range(first, first + number)
    ]


@dataclass
class Taking:
    """A feed and a store that it is taken into."""

    feed: Feed
    folder: Path
    store: Store

    @property
    def source(self) -> Source:
        """The feed's rows as a source."""
        return Source(name="rows", reader=self.feed.reader, key=("id",), time="t", contract=_CONTRACT)

    def take(self, tries: int = 10) -> TableVersion:
        """Takes in what is new."""
        source = self.source
        return ingest(
            self.store,
            source,
            folder=self.folder,
            now=1,
            progress=Silent(),
            sources={source.name: source},
            retry=Retry(tries=tries, first=0.01, most=0.05),
        )

    def pending(self) -> str | None:
        """What is new, in words."""
        return pending(self.store, self.source, self.folder)

    def rows(self) -> list[tuple[int, int]]:
        """``(id, x)`` of every row in the table, by id."""
        return sorted(self.store.tables.read("rows").select("id", "x").iter_rows())

    def reasons(self) -> list[str]:
        """Why rows are in quarantine, sorted."""
        table = quarantine.table_name("rows")
        if self.store.tables.version(table) is None:
            return []
        return sorted("; ".join(reasons) for reasons in self.store.tables.read(table)["_reasons"].to_list())


class ReaderConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to make an empty place.

    Attributes:
        can_vanish: Whether the place can go away.
        reads_text: Whether values arrive as they were delivered, so that a text may come where a number should be.
    """

    can_vanish: bool = True
    reads_text: bool = True

    @abstractmethod
    def feed(self, folder: Path) -> Feed:
        """An empty place; ``folder`` is the project folder."""

    @pytest.fixture
    def taking(self, tmp_path: Path) -> Iterator[Taking]:
        """An empty place, and a store."""
        folder = tmp_path / "project"
        folder.mkdir()
        store = Store(
            catalog=MemoryCatalog(),
            tables=Tables(tmp_path / "tables"),
            blobs=MemoryBlobs(),
            online=MemoryOnline(),
            leases=MemoryLeases(),
            run_log=MemoryRunLog(),
            settings=StoreSettings(),
            folder=folder,
        )
        yield Taking(self.feed(folder), folder, store)
        store.close()

    def test_says_what_it_is(self, taking: Taking) -> None:
        """A frozen record of settings, that names its place."""
        reader = taking.feed.reader
        assert reader.words
        again = pickle.loads(pickle.dumps(reader))  # noqa: S301 - our own
        assert (again.digest, again.words) == (reader.digest, reader.words)

    def test_takes_in_what_is_new_and_nothing_else(self, taking: Taking) -> None:
        """Delivery by delivery; the cursor is kept with the rows."""
        taking.feed.deliver(some_rows(5))
        taking.take()
        assert taking.rows() == [(row["id"], row["x"]) for row in some_rows(5)]
        taking.feed.deliver(some_rows(3, first=6))
        assert taking.pending()
        made = taking.take()
        assert taking.rows() == [(row["id"], row["x"]) for row in some_rows(8)]
        assert made.added == 3

    def test_the_same_twice_changes_nothing(self, taking: Taking) -> None:
        """No new version, and nothing is said to wait."""
        taking.feed.deliver(some_rows(5))
        made = taking.take()
        assert taking.pending() is None
        assert taking.take() == made

    def test_a_row_that_comes_again_takes_the_place_of_the_one_before(self, taking: Taking) -> None:
        """By key, whatever batch it comes in."""
        taking.feed.deliver(some_rows(5))
        taking.take()
        taking.feed.deliver([{**some_rows(1, first=9)[0], "id": 2, "x": 7}])
        taking.take()
        assert (2, 7) in taking.rows()
        assert len(taking.rows()) == 5

    def test_batches_are_bounded_and_each_can_be_read_on_from(self, taking: Taking) -> None:
        """From any batch's cursor come all the rows after it."""
        feed = taking.feed
        number = feed.most * 4 + 3
        for part in range(3):
            feed.deliver(some_rows(number if part == 0 else 1, first=1 if part == 0 else number + part))
        wanted = {int(row["id"]) for row in some_rows(number + 2)}
        seen: set[int] = set()
        batches = list(feed.reader.read(taking.folder, ""))
        assert len(batches) > 3
        for batch in batches:
            assert batch.rows.height <= feed.most
            seen |= _ids(batch)
            rest = {one for later in feed.reader.read(taking.folder, batch.cursor) for one in _ids(later)}
            assert seen | rest == wanted
        assert seen == wanted
        assert list(feed.reader.read(taking.folder, batches[-1].cursor)) == []

    def test_bad_rows_are_named(self, taking: Taking) -> None:
        """What the contract refuses goes to quarantine with what was found; the others stay."""
        first, second, third = some_rows(3)
        taking.feed.deliver([first, {**second, "x": -5}, third])
        taking.take()
        assert taking.rows() == [(1, 10), (3, 30)]
        assert taking.reasons() == ["x: found -5, expected at least 0"]

    def test_its_fingerprint_changes_with_what_is_there(self, taking: Taking) -> None:
        """A plan looks at nothing else."""
        taking.feed.deliver(some_rows(2))
        before = taking.feed.reader.fingerprint(taking.folder)
        taking.feed.deliver(some_rows(2, first=3))
        assert taking.feed.reader.fingerprint(taking.folder) != before

    def test_a_place_that_is_away_is_named(self, taking: Taking) -> None:
        """In words, by every way to ask; what is in the table stays."""
        if not self.can_vanish:
            pytest.skip("this place is never away")
        taking.feed.deliver(some_rows(2))
        taking.take()
        taking.feed.vanish()
        for ask in (
            lambda: taking.take(tries=2),
            taking.pending,
            lambda: taking.feed.reader.fingerprint(taking.folder),
        ):
            with pytest.raises(SourceError) as caught:
                ask()
            assert "Traceback" not in str(caught.value)
            assert len(str(caught.value)) > 20
        assert len(taking.rows()) == 2

    def test_killed_anywhere_and_two_at_once_end_with_the_right_rows(self, taking: Taking, tmp_path: Path) -> None:
        """``kill -9`` at instants all over the work, then two ingesters of one table at the same time."""
        rows = some_rows(taking.feed.most * 2 + 30)
        taking.feed.deliver([{**row, "x": -1} if row["id"] % 50 == 0 else row for row in rows])
        taking.feed.deliver([{**row, "id": row["id"] - 1000, "x": 77} for row in some_rows(20, first=1001)])
        (tmp_path / "source.pickle").write_bytes(pickle.dumps((taking.source, taking.folder)))
        command = ["-m", "drivetrain.testing.ingesters", str(tmp_path / "source.pickle"), str(tmp_path / "killed")]
        started = time.monotonic()
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, *command, str(_ROUNDS)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "POLARS_MAX_THREADS": "2"},
        )
        assert done.returncode == 0, done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        states = [line["state"] for line in told if "state" in line]
        deaths = sum(line.get("deaths", 0) for line in told)
        lost, doubled = _differences(states)
        seconds = time.monotonic() - started
        kind = type(self).__name__.removeprefix("Test")
        _log.info("%s: %d deaths, %d rows lost, %d doubled, %.0f s", kind, deaths, lost, doubled, seconds)
        assert len(states) == _ROUNDS + 2
        assert deaths >= _ROUNDS
        good = {row["id"]: row["x"] for row in rows if row["id"] % 50}
        good |= {row["id"] - 1000: 77 for row in some_rows(20, first=1001)}
        assert len(states[0]["rows"]) == len(good)
        assert len(states[0]["refused"]) == len(rows) // 50
        for number, state in enumerate(states):
            for part, found in state.items():
                assert found == states[0][part], f"{part} of round {number}"


def _differences(states: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Rows, kept or refused, that later states lack of the first, and those that they have beyond it."""
    first, *rest = (Counter(state["rows"] + [str(row) for row in state["refused"]]) for state in states)
    return sum((first - one).total() for one in rest), sum((one - first).total() for one in rest)


def _ids(batch: Batch) -> set[int]:
    return {int(value) for value in batch.rows["id"].to_list()} if batch.rows.height else set()
