"""Reading one step ahead: what comes next is fetched while the last is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_AT_ONCE = 1
"""Items that wait to be taken, beside the one that is being fetched: each is memory."""


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _End:
    error: BaseException | None


def ahead(source: Callable[[], Iterator[T]]) -> Generator[T]:
    """The items of an iterator, which is made, advanced and closed in a thread of its own.

    Whoever stops early (``close()`` of this generator, an exception, the end of a ``for`` by ``break``) waits until the
    item that is just being fetched is there, and then the source is closed.

    Args:
        source: Makes the iterator.

    Raises:
        Exception: Whatever the source raises, when its turn comes.
    """
    ready: queue.Queue[_Item[T] | _End] = queue.Queue(_AT_ONCE)
    stop = threading.Event()
    thread = threading.Thread(target=_fetch, args=(source, ready, stop), name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            found = ready.get()
            if isinstance(found, _Item):
                yield found.value
            elif found.error is not None:
                raise found.error
            else:
                return
    finally:
        stop.set()
        thread.join()


def _fetch(source: Callable[[], Iterator[T]], ready: queue.Queue[_Item[T] | _End], stop: threading.Event) -> None:
    items: Iterator[T] = iter(())
    try:
        items = source()
        for item in items:
            if not _given(_Item(item), ready, stop):
                break
        else:
            _given(_End(None), ready, stop)
    except BaseException as error:  # noqa: BLE001 - raised where the items are taken
        _given(_End(error), ready, stop)
    finally:
        if isinstance(items, Generator):
            items.close()


def _given(found: _Item[T] | _End, ready: queue.Queue[_Item[T] | _End], stop: threading.Event) -> bool:
    """Whether it was taken; not if nobody waits any more."""
    while not stop.is_set():
        try:
            ready.put(found, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
