"""What is watched of a table without an endpoint: its newest windows, and the alerts that are open."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import SEVERITIES, Alert, ColumnSeen, DataReport, FeatureDrift, Usual
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.web.desk import Desk

WINDOWS = 26


class ColumnLine(msgspec.Struct, frozen=True):
    """A column of the newest window, and its drift, where that was measured."""

    seen: ColumnSeen
    drift: FeatureDrift | None

    @property
    def far(self) -> float:
        """Drift in multiples of its threshold."""
        if self.drift is None:
            return 0.0
        return self.drift.value / self.drift.threshold if self.drift.threshold > 0 else float(self.drift.drifted)

    @property
    def odd(self) -> bool:
        """Whether anything about it is worth a look."""
        figures = (self.seen.nulls, self.seen.infinite, self.seen.unseen)
        broken = any(one is not None and one.odd for one in figures)
        return broken or self.seen.constant or self.seen.outside > 0 or self.far > 1


class Watch(msgspec.Struct, frozen=True):
    """One watch of a table or of a view made from it.

    Attributes:
        monitor: What is watched.
        windows: The newest, the last one first.
        opened: Alerts that are open, gravest first.
    """

    monitor: DataMonitor
    windows: tuple[DataReport, ...]
    opened: tuple[Alert, ...]

    @property
    def last(self) -> DataReport | None:
        """The newest window."""
        return self.windows[0] if self.windows else None

    @property
    def volumes(self) -> list[float | None]:
        """Rows of each window, oldest first."""
        return [None if one.volume is None else one.volume.value for one in reversed(self.windows)]

    @property
    def columns(self) -> list[ColumnLine]:
        """The newest window's columns, what is odd first, then by drift."""
        if self.last is None:
            return []
        drift = {one.feature: one for one in self.last.drift}
        found = [ColumnLine(one, drift.get(one.name)) for one in self.last.columns]
        return sorted(found, key=lambda one: (not one.odd, -one.far))

    @property
    def figures(self) -> list[tuple[str, Usual, str]]:
        """Figures of the newest window beside the usual: title, figure, what it is."""
        if self.last is None:
            return []
        view = self.monitor.of_features
        found = (
            ("Entities" if view else "Rows", self.last.volume, "count"),
            ("Refused", self.last.quarantined, "share"),
            ("Newest row's age", self.last.freshness, "time"),
            ("Known after", self.last.arrival, "time"),
            ("Values' age", self.last.age, "time"),
            ("Expired", self.last.expired, "share"),
            ("Never known", self.last.never, "share"),
        )
        return [
            (title, seen, kind)
            for title, seen, kind in found
            if seen is not None and (seen.value or seen.middle or kind == "count")
        ]


def watches_of(desk: Desk, table: str) -> list[Watch]:
    """Every watch of a table, and of views that are made from it."""
    return [_watch(desk, one) for one in desk.watched.values() if one.table == table]


def _watch(desk: Desk, monitor: DataMonitor) -> Watch:
    catalog = desk.store.catalog
    opened = [one for one in catalog.find(Alert, monitor.watched) if one.state == "open"]
    return Watch(
        monitor,
        tuple(catalog.find(DataReport, monitor.watched, limit=WINDOWS)),
        tuple(sorted(opened, key=lambda one: (-SEVERITIES.index(one.severity), -one.at))),
    )
