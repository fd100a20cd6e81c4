"""Reading one step ahead: what comes next is fetched while the last is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _End:
    error: BaseException | None


def ahead(source: Callable[[], Iterator[T]], most: int = 2) -> Generator[T]:
    """The items of an iterator, which is made, advanced and closed in a thread of its own.

    Whoever stops early (``close()`` of this generator, an exception, the end of a ``for`` by ``break``) waits until the
    item that is just being fetched is there, and then the source is closed.

    Args:
        source: Makes the iterator.
        most: How many items may be fetched beyond the one that is worked on: each is memory.

    Raises:
        Exception: Whatever the source raises, when its turn comes.
    """
    ready: queue.Queue[_Item[T] | _End] = queue.Queue()
    room = threading.Semaphore(most)
    stop = threading.Event()
    thread = threading.Thread(target=_fetch, args=(source, ready, room, stop), name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            found = ready.get()
            if isinstance(found, _Item):
                room.release()
                yield found.value
            elif found.error is not None:
                raise found.error
            else:
                return
    finally:
        stop.set()
        room.release()
        thread.join()


def _fetch(
    source: Callable[[], Iterator[T]],
    ready: queue.Queue[_Item[T] | _End],
    room: threading.Semaphore,
    stop: threading.Event,
) -> None:
    items: Iterator[T] = iter(())
    end = _End(None)
    try:
        items = source()
        while room.acquire() and not stop.is_set():
            ready.put(_Item(next(items)))
    except StopIteration:
        pass
    except BaseException as error:  # noqa: BLE001 - raised where the items are taken
        end = _End(error)
    finally:
        ready.put(end)
        if isinstance(items, Generator):
            items.close()
