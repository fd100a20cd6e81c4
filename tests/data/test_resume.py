"""A place that is away for a moment: reading goes on behind the last batch, with growing pauses, and says so."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.core.progress import Silent
from drivetrain.data.ingest import ingest
from drivetrain.data.reader import Batch
from drivetrain.data.resume import Retry, resumed
from drivetrain.data.source import Source


@dataclass(frozen=True)
class Shaky:
    """Gives the numbers from 1 to 5, one a batch, and breaks off as it is told."""

    breaks: list[SourceError | None] = field(default_factory=list)
    digest: str = "shaky"
    words: str = "a shaky place"

    def fingerprint(self, folder):
        return ""

    def pending(self, folder, cursor):
        return None

    def read(self, folder, cursor):
        for number in range(int(cursor or 0) + 1, 6):
            error = self.breaks.pop(0) if self.breaks else None
            if error is not None:
                raise error
            yield Batch(rows=pl.DataFrame({"id": [number]}), cursor=str(number), origin="here")


def read(reader, folder, retry):
    told, slept = [], []
    batches = resumed(reader, folder, "", retry=retry, tell=told.append, sleep=slept.append)
    return [batch.rows.item() for batch in batches], told, slept


def test_it_reads_on_behind_the_last_batch(tmp_path):
    away = SourceAway("the place is closed")
    found, told, slept = read(Shaky([None, None, away, None, away, away]), tmp_path, Retry(first=2.0, most=3.0))
    assert found == [1, 2, 3, 4, 5]
    assert len(told) == len(slept) == 3
    assert told[0].startswith("the place is closed: trying again in ")
    assert [line[-8:] for line in told] == ["(2 of 6)", "(2 of 6)", "(3 of 6)"]
    assert all(0.0 <= seconds <= bound for seconds, bound in zip(slept, (2.0, 2.0, 3.0), strict=True))


def test_it_gives_up_after_so_many_tries_in_a_row(tmp_path):
    away = SourceAway("the place is closed", do="Ask for the key")
    with pytest.raises(SourceAway, match=r"^the place is closed \(tried 3 times\)\. Ask for the key\.$"):
        read(Shaky([None, away, away, away]), tmp_path, Retry(tries=3, first=0.0))


def test_what_trying_again_would_not_mend_is_not_tried_again(tmp_path):
    with pytest.raises(SourceError, match="no such place"):
        read(Shaky([SourceError("no such place")]), tmp_path, Retry())


def test_the_pauses_grow_and_are_drawn_by_chance():
    retry = Retry(first=1.0, most=8.0)
    longest = [max(retry.wait(tried, None) for _ in range(300)) for tried in range(1, 7)]
    for found, bound in zip(longest, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.8 * bound < found <= bound
    assert min(retry.wait(6, None) for _ in range(300)) < 1.0
    assert retry.wait(1, 60.0) >= 60.0


def test_ingestion_tells_whoever_watches(place):
    told = []

    class Watching(Silent):
        def advance(self, task, amount=1.0, note=""):
            told.append((task, amount, note))

    reader = Shaky([None, None, SourceAway("the place is closed")])
    source = Source(name="shaky", reader=reader, key=("id",))
    made = ingest(
        place.store,
        source,
        folder=place.folder,
        now=1,
        progress=Watching(),
        sources={"shaky": source},
        retry=Retry(first=0.0),
    )
    assert made.rows == 5
    assert [amount for _, amount, _ in told] == [1, 1, 0, 1, 1, 1]
    assert told[2][2].startswith("the place is closed: trying again in 0.0 s")
