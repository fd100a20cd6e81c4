"""What stood when: which version of a view's table, and of its online rows, there was at a moment gone by."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from drivetrain.core.clock import Micros
from drivetrain.core.records import Step
from drivetrain.features.online.mark import decode_mark
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions


@dataclass(frozen=True)
class Standing:
    """What a request could have been answered from.

    Attributes:
        table: Version of the view's table that had been committed; none before the first.
        online: Versions that the view's online rows may have held, the likeliest first; more than one where they were
            being brought up to date just then, none where they were never filled.
    """

    table: int | None
    online: tuple[int | None, ...]


class Past:
    """The past of a view, from the log of its table and the steps that filled its online rows.

    Both are dated by the clocks of the machines that did the work, as predictions are by the server's.

    Args:
        project: Where records are.
        view: The view; its table is what counts.
        space: The online space it was served from: that of its definition then.
    """

    def __init__(self, project: Definitions, view: FeatureView, space: str) -> None:
        self._tables = project.store.tables
        self._name = view.source.name
        latest = self._tables.version(self._name)
        # Those that were erased since stand for nothing.
        made = range(0 if latest is None else latest + 1)
        self._versions = [version for version in made if self._tables.has(self._name, version)]
        self._fills = _fills(project, view.name, space)

    def at(self, since: Micros, until: Micros) -> Standing:
        """What stood while a request was answered, which took from ``since`` to ``until``."""
        place = bisect_right(self._versions, since, key=self.written)
        held = max((fill.version for fill in self._fills if fill.finished <= since), default=None)
        meanwhile = [fill.version for fill in self._fills if fill.finished > since and fill.began <= until]
        return Standing(self._versions[place - 1] if place else None, tuple(dict.fromkeys([held, *meanwhile])))

    def written(self, version: int) -> Micros:
        """When a version of the table was committed."""
        return self._tables.written(self._name, version)


@dataclass(frozen=True)
class _Fill:
    began: Micros
    finished: Micros
    version: int


def _fills(project: Definitions, view: str, space: str) -> list[_Fill]:
    """Every time a space of a view's online rows was brought up to a version of its table."""
    begins = f"online:{space}#"
    fills = [
        _Fill(step.at, step.finished or step.at, int(step.outputs["online"].removeprefix(begins)))
        for step in project.store.catalog.find(Step, f"online:{view}")
        if step.status == "done" and step.outputs["online"].startswith(begins)
    ]
    packed = project.store.online.mark(space)
    if not fills and packed is not None:
        mark = decode_mark(packed)
        fills = [_Fill(mark.at, mark.at, mark.version)]
    return fills
