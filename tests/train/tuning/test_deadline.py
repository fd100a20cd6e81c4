from __future__ import annotations

import threading
import time

import pytest

from drivetrain.core.errors import TrainingError
from drivetrain.train.tuning.deadline import Deadline, TimeUp


def forever() -> None:
    while True:
        pass


def stubborn() -> None:
    """Swallows whatever may be swallowed."""
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001
            continue


def test_work_in_time_is_left_alone() -> None:
    assert Deadline(5.0).hold(lambda: 7) == 7
    assert Deadline(None).hold(lambda: 7) == 7
    Deadline(None).check()


@pytest.mark.parametrize("work", [forever, stubborn])
def test_work_that_never_ends_is_stopped(work) -> None:
    began = time.monotonic()
    with pytest.raises(TrainingError, match=r"took longer than the 0\.2 s"):
        Deadline(0.2).hold(work)
    assert time.monotonic() - began < 5
    before = time.monotonic()
    while time.monotonic() - before < 1.3:  # nothing comes after it
        pass
    assert "deadline" not in {thread.name for thread in threading.enumerate()}


def test_where_it_reports_it_is_stopped_there() -> None:
    deadline = Deadline(0.1)

    def reports() -> None:
        while True:
            deadline.check()

    with pytest.raises(TrainingError, match=r"the 0\.1 s"):
        deadline.hold(reports)


def test_in_another_thread_that_thread_is_stopped() -> None:
    told = []

    def work() -> None:
        try:
            Deadline(0.1).hold(forever)
        except TrainingError as error:
            told.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert len(told) == 1


def test_an_error_of_the_work_is_its_own() -> None:
    def breaks() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Deadline(5.0).hold(breaks)


def test_what_comes_late_does_no_harm() -> None:
    """Many deadlines that end at about the time that the work does: each gives its value, or says that it was late."""
    for _ in range(60):
        try:
            assert Deadline(0.008).hold(lambda: time.sleep(0.01)) is None
        except TrainingError:
            continue
        except TimeUp:
            pytest.fail("it came out of the work it was for")
