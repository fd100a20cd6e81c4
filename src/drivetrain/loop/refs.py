"""From a ref to the record it names."""

from __future__ import annotations

from typing import TypeVar

from drivetrain.core.errors import StoreError
from drivetrain.core.records import Record, TableVersion
from drivetrain.loop.definitions import Definitions

R = TypeVar("R", bound=Record)


def resolve(project: Definitions, kind: type[R], ref: str) -> R:
    """The record that a ref names.

    Raises:
        StoreError: The catalog does not have it.
    """
    record = project.store.catalog.get(kind, ref.removeprefix(f"{kind.kind}:"))
    if record is None:
        raise StoreError(f"the catalog has no {ref}", do="Was it restored from an older copy? Run: drivetrain doctor")
    return record


def table_version(project: Definitions, ref: str) -> TableVersion:
    """The table version that a ref names."""
    return resolve(project, TableVersion, ref)
