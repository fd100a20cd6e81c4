"""Events pushed into a project's online features, without waiting for their source to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drivetrain.core.errors import UnknownName
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.features.online.push import Pusher
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.stages.materialise import GRACE


def push(project: Definitions, view: FeatureView | str, events: Sequence[Mapping[str, object]]) -> int:
    """Pushes events into a feature view: the next read sees them, windows included.

    An event is a row as the view's table has it. It is known by its source's key: pushed twice it counts once, and when
    the row comes through its source, the row takes its place. The source stays the record: what is never ingested is
    in no training set.

    Args:
        project: A loaded project.
        view: The view, or its name.
        events: A mapping each, with the source's key, its time (an aware datetime, ISO 8601 or microseconds), the
            entity's keys and the columns the features read.

    Returns:
        How many were kept; one whose entity's key is null counts for no entity.

    Raises:
        UnknownName: The project has no such view.
        RequestError: An event is not what the source's contract and the view expect, lies in the future, or is older
            than what its entity's online row still tells apart. Nothing was kept.
        StoreError: The online store is full or away. Nothing was kept.
    """
    return pusher_of(project, view if isinstance(view, str) else view.name).push(events)


@dataclass(frozen=True)
class LatePusher:
    """Pushes into a view of the project; made ready at the first push.

    Until then nothing of the table is read, so that who serves and is never pushed to loads no library for it.

    Attributes:
        project: A loaded project.
        view: The view's name.
    """

    project: Definitions
    view: str

    def push(self, events: Sequence[Mapping[str, object]], /) -> int:
        """See :func:`push`."""
        return push(self.project, self.view, events)


def pusher_of(project: Definitions, name: str) -> Pusher:
    """What pushes into a view of the project.

    Raises:
        UnknownName: The project has no such view.
    """
    if name not in project.pushers:
        view = project.views.get(name)
        if view is None:
            raise UnknownName(
                "no such feature view",
                found=repr(name),
                expected=f"one of {', '.join(project.views) or 'none declared'}",
            )
        table = view.source.name
        known = project.store.tables.version(table) is not None
        types = dict(project.store.tables.schema(table)) if known else None
        keys = KeyRing(project.store.catalog, project.folder)
        pusher = Pusher(project.store.online, view, project.sources[table], types=types, keys=keys, grace=GRACE)
        if not known:
            return pusher  # the next one will know what the table's columns are
        project.pushers[name] = pusher
    return project.pushers[name]
