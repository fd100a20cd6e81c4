"""The mark that a version carries on its card when it serves although its gates said no."""

from __future__ import annotations

from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.errors import Conflict, StoreError
from drivetrain.core.records import ModelVersion
from drivetrain.evaluate.exception import by_exception
from drivetrain.registry.aliases import find_version
from drivetrain.store.bundle import Store

_TRIES = 100


def mark_forced(store: Store, model: str, number: int, *, because: str, actor: str) -> ModelVersion:
    """Puts on a version's card that it serves by exception, by whom and why; one that has no card stays as it is.

    Raises:
        StoreError: The card can't be read, or kept.
    """
    for _ in range(_TRIES):
        version = find_version(store, model, number)
        if version.card is None:
            return version
        revision = store.catalog.record_revision(version.ref)
        card = by_exception(store.blobs.get(version.card), f"{actor}, {clock.iso(clock.now())[:10]}: {because}")
        marked = replace(version, card=store.blobs.put(card))
        try:
            store.catalog.commit(marked, expect={version.ref: revision})
        except Conflict:
            continue  # somebody changed it meanwhile: look again
        return marked
    raise StoreError(f"{model} v{number} changes faster than its card can be marked", do="Try again")
