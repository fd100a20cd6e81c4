"""The rows of one resource since a value of its cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import dlt
from dlt.extract import DltResource, DltSource

from drivetrain.core.errors import ProjectError


def rows_of(factory: Callable[[], Any], name: str | None, cursor: str | None, since: object) -> Iterable[Any]:
    """The rows of a resource.

    Args:
        factory: Makes the dlt source or resource.
        name: Of a source: which of its resources.
        cursor: Column that dlt's own ``incremental`` goes by, if any.
        since: Its greatest value so far; none at first.

    Raises:
        ProjectError: The factory makes something else, or the source has no such resource.
    """
    made = factory()
    if isinstance(made, DltSource):
        known = list(made.resources)
        if name not in known:
            raise ProjectError(
                "a dlt source has several resources, and each is a source of its own here",
                found=repr(name),
                expected=f"name= one of {', '.join(known)}",
            )
        made = made.resources[name]
    if not isinstance(made, DltResource):
        raise ProjectError("not a dlt source or resource", found=type(made).__name__)
    if cursor is not None and since is not None:
        made.apply_hints(incremental=dlt.sources.incremental(cursor, initial_value=since))
    return made
