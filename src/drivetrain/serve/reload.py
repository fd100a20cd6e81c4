"""Hot reload: a thread that watches the catalog, loads and warms new versions, and swaps them in whole."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from drivetrain.core.errors import DrivetrainError, StoreError, UnknownName
from drivetrain.core.protocols import Engine
from drivetrain.core.records import Alias, ModelVersion, Policy
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.routing.router import Router
from drivetrain.serve.serving import Serving
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion
from drivetrain.store.bundle import Store

T = TypeVar("T")
LoadEngine: TypeAlias = Callable[[Store, ModelVersion], Engine]
_Fetch: TypeAlias = Callable[[str, int | None, LoadedVersion | None], LoadedVersion | None]

POLL_SECONDS = 0.2
RETRY_SECONDS = 2.0
SILENT_SECONDS = 5.0
"""How long the catalog may take to answer before it counts as away, and how long the end waits for it."""

_log = logging.getLogger(__name__)


class Reloader:
    """Keeps the endpoints of a worker at the versions that the catalog's aliases name.

    A version that can't be loaded leaves the one before it in place; what is wrong is said in :attr:`Serving.problems`
    and tried again. While the catalog is away, or never answers, serving goes on with what it has.

    Args:
        planes: Endpoint → its dataplane.
        store: Where aliases, versions and artifacts are.
        load: Opens a version's engine.
        meter: What is counted.
        tick: Called now and then, for the worker's other housekeeping.
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
        self._revision = -1
        self._tick = tick
        self._failed_at = 0.0
        self._stop = threading.Event()
        self._problem = ""
        self._asked_at = 0.0
        # Housekeeping has a thread of its own: a catalog that never answers must not keep it waiting.
        self._threads = [
            threading.Thread(target=self._watch, args=(call,), name=f"drivetrain-{name}", daemon=True)
            for name, call in (("reload", self.look), ("housekeeping", tick))
        ]

    def start(self) -> None:
        """Loads what there is now, then watches."""
        self.look()
        self._tick()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stops watching."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(SILENT_SECONDS)

    @property
    def catalog_problem(self) -> str:
        """Why the catalog can't be read at the moment; empty if it can."""
        asked_at = self._asked_at
        silent = time.monotonic() - asked_at if asked_at else 0.0
        return f"the catalog has not answered for {silent:.0f} s" if silent > SILENT_SECONDS else self._problem

    def look(self) -> None:
        """One look at the catalog."""
        try:
            revision = self._ask(self._store.catalog.revision)
            retry = self._failed_at and time.monotonic() - self._failed_at >= RETRY_SECONDS
            if revision != self._revision or retry:
                self._failed_at = 0.0
                for plane in self._planes.values():
                    self._refresh(plane)
                self._revision = revision
            self._problem = ""
        except StoreError as error:
            if not self._problem:
                _log.warning("serving goes on with the versions it has: %s", error)
            self._problem = str(error)

    def _ask(self, question: Callable[..., T], *arguments: object) -> T:
        """What the catalog answers."""
        self._asked_at = time.monotonic()
        try:
            return question(*arguments)
        finally:
            self._asked_at = 0.0

    def _watch(self, call: Callable[[], None]) -> None:
        while not self._stop.wait(POLL_SECONDS):
            try:
                call()
            except Exception:  # noqa: BLE001 - the watch must outlive a mistake; it is logged and the next look comes
                _log.exception("a look at the catalog, or housekeeping, failed")

    def _refresh(self, plane: Dataplane) -> None:
        problems: dict[str, str] = {}
        before, model = plane.serving, plane.plan.model
        held = before.loaded()

        def fetch(role: str, number: int | None, otherwise: LoadedVersion | None) -> LoadedVersion | None:
            if number is None:
                return None
            if number not in held:
                loaded = self._load_version(plane, role, number, otherwise, problems)
                if loaded is None or loaded is otherwise:
                    return otherwise
                held[number] = loaded
            return held[number]

        alias = self._ask(self._store.catalog.get, Alias, f"{model}:champion")
        champion = fetch("champion", alias.version if alias else None, before.champion)
        listener = self._ask(self._store.catalog.get, Alias, f"{model}:shadow")
        shadow = fetch("shadow", listener.version if listener else None, before.shadow)
        if champion is not None and shadow is champion:
            shadow = None
        earlier = alias.previous if alias and plane.plan.fallback == "previous" else None
        fallback = fetch("fallback", earlier, before.fallback)
        router, arms = self._routing(plane, fetch, problems)
        serving = Serving(
            champion=champion, shadow=shadow, fallback=fallback, router=router, arms=arms, problems=problems
        )
        plane.serving = replace(serving, lookup=plane.reading(serving.loaded().values()))

    def _routing(
        self, plane: Dataplane, fetch: _Fetch, problems: dict[str, str]
    ) -> tuple[Router | None, dict[int, LoadedVersion]]:
        """The router of an endpoint's policy and the versions it may name; an arm that can't be loaded has none."""
        policy = self._ask(self._store.catalog.get, Policy, plane.plan.name)
        if policy is None or policy.mode == "champion":
            return None, {}
        try:
            router = Router(policy, plane.plan.fields, plane.plan.withheld)
        except DrivetrainError as error:
            problems["policy"] = f"the champion answers everything: {error}"
            return None, {}
        named = [(arm.version, fetch(f"arm {arm.name}", arm.version, None)) for arm in policy.arms if arm.version]
        return router, {number: loaded for number, loaded in named if loaded is not None}

    def _load_version(
        self, plane: Dataplane, role: str, number: int, before: LoadedVersion | None, problems: dict[str, str]
    ) -> LoadedVersion | None:
        try:
            return self._open(plane, number)
        except DrivetrainError as error:
            keeps = f"version {before.record.version} stays" if before else "nothing answers in its place"
            problems[role] = f"version {number} can't be served, {keeps}: {error}"
            self._meter.counters["reload_failed"][plane.plan.name, role] += 1
            self._failed_at = time.monotonic()
            _log.warning("endpoint %s, %s: %s", plane.plan.name, role, problems[role])
            return before

    def _open(self, plane: Dataplane, number: int) -> LoadedVersion:
        key = f"{plane.plan.model}@{number}"
        record = self._ask(self._store.catalog.get, ModelVersion, key)
        if record is None:
            raise UnknownName(f"no version is called {key}")
        return LoadedVersion(record, self._load(self._store, record), plane.lookup.names, plane.lookup.definitions)
