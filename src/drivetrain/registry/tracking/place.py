"""Where tracking keeps what it is told, and how a record is changed while others change it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from drivetrain.core.errors import Conflict, StoreError, UnknownName
from drivetrain.core.protocols import Blobs, Catalog, RunLog
from drivetrain.core.records import Record

R = TypeVar("R", bound=Record)

_TRIES = 100


class Place(Protocol):
    """The parts of a store that tracking needs; a :class:`~drivetrain.store.bundle.Store` has them."""

    @property
    def catalog(self) -> Catalog:
        """Records."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Files."""
        ...

    @property
    def pickles(self) -> frozenset[str]:
        """Models whose pickles the project trusts."""
        ...

    @property
    def run_log(self) -> RunLog:
        """Metrics, parameters and tags."""
        ...


def change(place: Place, kind: type[R], key: str, how: Callable[[R], R]) -> R:
    """Changes a record, against whoever does so at the same moment.

    Args:
        place: Where it is.
        kind: Its type.
        key: Its key.
        how: The record as it is → as it shall be; the same object where nothing changes. It may raise, and be called
            again.

    Raises:
        UnknownName: There is no such record.
        StoreError: Others change it faster than it can be changed.
    """
    ref = f"{kind.kind}:{key}"
    for _ in range(_TRIES):
        expect = {ref: place.catalog.record_revision(ref)}
        found = place.catalog.get(kind, key)
        if found is None:
            raise UnknownName(f"no {kind.kind.replace('_', ' ')} is called {key!r}")
        changed = how(found)
        if changed is found:
            return found
        try:
            place.catalog.commit(changed, expect=expect)
        except Conflict:
            continue  # somebody changed it meanwhile: look again
        return changed
    raise StoreError(f"{ref} is changed faster than it can be changed once more", do="Try again")
