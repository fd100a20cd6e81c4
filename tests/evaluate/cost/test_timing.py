from __future__ import annotations

import time

import numpy as np

from drivetrain.evaluate.cost.timing import BATCH, time_answers


class Slow:
    """Takes so long for a row, and for a batch whatever its size; every hundredth row takes ten times as long."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.calls, self.batches = seconds, 0, 0

    def predict(self, rows: np.ndarray) -> np.ndarray:
        self.batches += 1
        self.wait(self.seconds)
        return np.zeros(len(rows))

    def predict_row(self, row: list[float]) -> float:
        self.calls += 1
        self.wait(self.seconds * (10 if self.calls % 25 == 0 else 1))
        return 0.0

    def explain(self, rows: np.ndarray) -> None:
        return None

    def wait(self, seconds: float) -> None:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            pass


def test_figures_are_those_of_the_clock() -> None:
    rows = np.zeros((3_000, 4))
    fast, slow = Slow(0.0001), Slow(0.002)
    told = time_answers([(fast, rows), (slow, rows)])
    assert told[0] is not None
    assert told[1] is not None
    assert 100 <= told[0].p50_us < 2_000
    assert told[1].p50_us >= 2_000
    assert told[1].p50_us / told[0].p50_us > 3
    assert told[1].p99_us >= 20_000
    assert told[0].batch == BATCH
    assert told[0].rows_per_second <= BATCH / 0.0001
    assert told[1].rows_per_second <= BATCH / 0.002


def test_what_is_slow_is_not_asked_for_long() -> None:
    slow = Slow(0.02)
    began = time.monotonic()
    (told,) = time_answers([(slow, np.zeros((10, 2)))])
    assert told is not None
    assert 40 <= told.rows <= 48
    assert time.monotonic() - began < 20
    assert slow.batches <= 3  # one warms up, one is timed, and there is no time for five


def test_where_there_are_no_rows_nothing_is_told() -> None:
    assert time_answers([(Slow(0.0), np.zeros((0, 4)))]) == [None]
