"""Work that may take so long and no longer.

Where the work reports how far it is, it is stopped there. Where it doesn't, its thread is: an exception is set in it
from beside (``PyThreadState_SetAsyncExc`` of CPython's C API), which is raised at the next instruction of Python. What
stays within one call of foreign code is stopped when that returns, and not before.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from drivetrain.core.errors import TrainingError

_T = TypeVar("_T")
_GRACE = 1.0
"""Seconds for a report to come, before the thread is stopped; a quarter of what is allowed where that is less."""
_AGAIN = 1.0
"""Seconds after which a thread that swallowed the exception is stopped again."""


class TimeUp(BaseException):
    """Time is up; no ``except Exception`` of foreign code swallows it."""


class Deadline:
    """So many seconds for a piece of work.

    Args:
        seconds: How long it may take; as long as it likes if none.

    Example:
        >>> Deadline(5.0).hold(lambda: 1 + 1)
        2
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._fired = False

    def check(self) -> None:
        """Called from within the work, wherever it can be stopped.

        Raises:
            TrainingError: Time is up.
        """
        if self._seconds is not None and time.monotonic() - self._began > self._seconds:
            raise self._late()

    def hold(self, work: Callable[[], _T]) -> _T:
        """Does the work, and stops it when its time is up.

        Raises:
            TrainingError: Time was up.
        """
        self._began = time.monotonic()
        if self._seconds is None:
            return work()
        watch = threading.Thread(target=self._watch, args=(threading.get_ident(),), name="deadline", daemon=True)
        try:
            watch.start()
            try:
                return work()
            finally:
                self._stop()
        except TimeUp:
            self._stop()  # it may have come while the first was under way
            raise self._late() from None

    def _late(self) -> TrainingError:
        return TrainingError(f"it took longer than the {self._seconds:g} s that a trial may take")

    def _watch(self, thread: int) -> None:
        assert self._seconds is not None, "nothing is watched that may take as long as it likes"
        wait = self._seconds + min(_GRACE, self._seconds / 4)
        while not self._over.wait(wait):
            with self._lock:
                if self._over.is_set():
                    return
                self._fired = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
            wait = _AGAIN

    def _stop(self) -> None:
        """No exception comes after this."""
        with self._lock:
            self._over.set()
            if self._fired:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)
