"""Hot reload: a thread that watches the catalog, loads and warms new versions, and swaps them in whole."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from drivetrain.core.errors import DrivetrainError, StoreError, UnknownName
from drivetrain.core.protocols import Engine
from drivetrain.core.records import Alias, ModelVersion
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.serving import Serving
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion
from drivetrain.store.bundle import Store

LoadEngine: TypeAlias = Callable[[Store, ModelVersion], Engine]

POLL_SECONDS = 0.2
RETRY_SECONDS = 2.0
_ROLES = ("champion", "shadow")

_log = logging.getLogger(__name__)


class Reloader:
    """Keeps the endpoints of a worker at the versions that the catalog's aliases name.

    A version that can't be loaded leaves the one before it in place; what is wrong is said in :attr:`Serving.problems`
    and tried again. While the catalog is away, serving goes on with what it has.

    Args:
        planes: Endpoint → its dataplane.
        store: Where aliases, versions and artifacts are.
        load: Opens a version's engine.
        meter: What is counted.
        tick: Called after every look, for the worker's other housekeeping.
    """

    def __init__(
        self,
        planes: Mapping[str, Dataplane],
        store: Store,
        load: LoadEngine,
        meter: Meter,
        tick: Callable[[], None],
    ) -> None:
        self._planes = planes
        self._store = store
        self._load = load
        self._meter = meter
        self._tick = tick
        self._revision = -1
        self._failed_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="drivetrain-reload", daemon=True)
        self.catalog_problem = ""
        """Why the catalog can't be read at the moment; empty if it can."""

    def start(self) -> None:
        """Loads what there is now, then watches."""
        self.look()
        self._thread.start()

    def close(self) -> None:
        """Stops watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """One look at the catalog."""
        try:
            revision = self._store.catalog.revision()
            retry = self._failed_at and time.monotonic() - self._failed_at >= RETRY_SECONDS
            if revision != self._revision or retry:
                self._failed_at = 0.0
                for plane in self._planes.values():
                    self._refresh(plane)
                self._revision = revision
            self.catalog_problem = ""
        except StoreError as error:
            if not self.catalog_problem:
                _log.warning("serving goes on with the versions it has: %s", error)
            self.catalog_problem = str(error)
        self._tick()

    def _watch(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the watch must outlive a mistake; it is logged and the next look comes
                _log.exception("a look at the catalog failed")

    def _refresh(self, plane: Dataplane) -> None:
        problems: dict[str, str] = {}
        champion = self._role(plane, "champion", plane.serving.champion, problems)
        shadow = self._role(plane, "shadow", plane.serving.shadow, problems)
        if champion is not None and shadow is not None and champion.record.version == shadow.record.version:
            shadow = None
        plane.serving = Serving(champion=champion, shadow=shadow, problems=problems)

    def _role(
        self, plane: Dataplane, role: str, before: LoadedVersion | None, problems: dict[str, str]
    ) -> LoadedVersion | None:
        alias = self._store.catalog.get(Alias, f"{plane.plan.model}:{role}")
        if alias is None or alias.version is None:
            return None
        held = plane.serving
        for loaded in (held.champion, held.shadow):
            if loaded is not None and loaded.record.version == alias.version:
                return loaded
        try:
            return self._open(plane, alias.version)
        except DrivetrainError as error:
            keeps = f"version {before.record.version} stays" if before else "nothing answers in its place"
            problems[role] = f"version {alias.version} can't be served, {keeps}: {error}"
            self._meter.counters["reload_failed"][plane.plan.name, role] += 1
            self._failed_at = time.monotonic()
            _log.warning("endpoint %s, %s: %s", plane.plan.name, role, problems[role])
            return before

    def _open(self, plane: Dataplane, number: int) -> LoadedVersion:
        key = f"{plane.plan.model}@{number}"
        record = self._store.catalog.get(ModelVersion, key)
        if record is None:
            raise UnknownName(f"no version is called {key}")
        return LoadedVersion(record, self._load(self._store, record), plane.lookup.names, plane.lookup.definitions)
