"""Work that is done meanwhile: on a thread of its own, while others go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def meanwhile(work: Callable[[], T]) -> Callable[[], T]:
    """Begins work that lets others run, such as hashing or frames; what waits for it and gives its result.

    Nobody has to wait for it: a process ends without it. What it raises is raised where its result is asked for.

    Args:
        work: What to do; it shares nothing with its caller that either changes.

    Example:
        >>> told = meanwhile(lambda: 6 * 7)
        >>> told()
        42
    """
    done: Future[T] = Future()
    threading.Thread(target=_do, args=(work, done), name="meanwhile", daemon=True).start()
    return done.result


def _do(work: Callable[[], T], done: Future[T]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
        done.set_exception(error)
