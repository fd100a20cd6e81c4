"""Work goes on beside its caller, and what becomes of it is told to whoever asks."""

from __future__ import annotations

import itertools
import threading

import pytest

from drivetrain.core.meanwhile import meanwhile


def test_both_go_on() -> None:
    met = threading.Barrier(2, timeout=10)
    told = meanwhile(lambda: (met.wait(), threading.get_ident())[1])
    met.wait()
    assert told() != threading.get_ident()


def test_the_result_is_told_as_often_as_it_is_asked_for() -> None:
    counter = itertools.count(1)
    told = meanwhile(lambda: next(counter))
    assert [told(), told()] == [1, 1]


def test_what_it_raises_is_raised_where_it_is_asked_for() -> None:
    told = meanwhile(lambda: 1 // 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            told()
