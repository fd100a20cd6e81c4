"""Reading ahead gives what the source gives, in order, and lets go of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from drivetrain.data.readers.ahead import ahead


class Source:
    """Counts what was taken of it, and notes where and whether it was closed."""

    def __init__(self, many: int, fails_at: int | None = None) -> None:
        self.many, self.fails_at = many, fails_at
        self.given = 0
        self.closed = False
        self.threads: set[int] = set()

    def __call__(self) -> Iterator[int]:
        try:
            for at in range(self.many):
                if at == self.fails_at:
                    raise ValueError("the place is gone")
                self.threads.add(threading.get_ident())
                self.given += 1
                yield at
        finally:
            self.threads.add(threading.get_ident())
            self.closed = True


def test_items_come_in_order_from_one_other_thread() -> None:
    source = Source(1_000)
    assert list(ahead(source)) == list(range(1_000))
    assert source.closed
    assert len(source.threads) == 1
    assert threading.get_ident() not in source.threads


@pytest.mark.parametrize("most", [1, 2, 5])
def test_the_next_are_fetched_meanwhile_and_no_more(most: int) -> None:
    source = Source(100)
    reading = ahead(source, most)
    assert next(reading) == 0
    for _ in range(200):
        if source.given > most:
            break
        threading.Event().wait(0.01)
    threading.Event().wait(0.05)
    assert source.given == 1 + most  # one was taken, the others wait
    reading.close()
    assert source.closed
    assert source.given == 1 + most


def test_an_error_comes_after_what_was_before_it() -> None:
    source = Source(10, fails_at=3)
    taken: list[int] = []
    with pytest.raises(ValueError, match="the place is gone"):
        taken.extend(iter_into(taken, ahead(source)))
    assert taken == [0, 1, 2]
    assert source.closed


def iter_into(taken: list[int], items: Iterator[int]) -> Iterator[int]:
    for item in items:
        taken.append(item)
    yield from ()


def test_nothing_remains_running() -> None:
    before = threading.active_count()
    for _ in range(20):
        reading = ahead(Source(50))
        next(reading)
        reading.close()
    assert threading.active_count() == before


def test_a_source_that_does_not_begin_is_told() -> None:
    def none() -> Iterator[int]:
        raise ValueError("there is no such place")

    with pytest.raises(ValueError, match="no such place"):
        next(ahead(none))
