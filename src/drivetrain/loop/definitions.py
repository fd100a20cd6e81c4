"""What a project declares, and where its state lives; every command reads this."""

from __future__ import annotations

import weakref
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from drivetrain.core.errors import UnknownName
from drivetrain.core.settings import Settings
from drivetrain.data.source import Source
from drivetrain.features.derived import DerivedView
from drivetrain.features.online.push import Pusher
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.model import Model
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.store.bundle import Store, open_store

T = TypeVar("T")


class Definitions:
    """The nouns of one project by name, its settings, its folder and its store."""

    def __init__(self, name: str, *, objective: str = "", metric: str = "average_precision") -> None:
        self.name = name
        self.objective = objective
        self.metric = metric
        self.folder = Path.cwd()
        self.settings = Settings()
        self.sources: dict[str, Source] = {}
        self.views: dict[str, FeatureView] = {}
        self.requests: dict[str, RequestFeatures] = {}
        self.derived: dict[str, DerivedView] = {}
        self.models: dict[str, Model] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.monitors: dict[str, Monitor] = {}
        self.watched: dict[str, DataMonitor] = {}
        """Tables and feature views that are watched without an endpoint, as ``table:flights``."""
        self.pushers: dict[str, Pusher] = {}
        """Those made so far, by view."""

    @cached_property
    def store(self) -> Store:
        """The project's state, opened on first use, closed at the latest with the project."""
        store = open_store(self.settings.store, self.folder, pickles=self.settings.models.trust_pickles)
        weakref.finalize(self, store.close)
        return store

    @property
    def watches(self) -> dict[str, Monitor | DataMonitor]:
        """Whatever alerts may be about, by what they go by: endpoints, tables, feature views."""
        return {**self.monitors, **self.watched}

    @property
    def log_folder(self) -> Path:
        """Where the endpoint's write-ahead log lives."""
        return self.folder / self.settings.serve.log

    def find_endpoint(self, name: str | None) -> Endpoint:
        """The endpoint of that name, or the only one.

        Raises:
            UnknownName: There is none, or more than one and no name.
        """
        return _find("endpoint", self.endpoints, name)

    def find_model(self, name: str | None) -> Model:
        """The model of that name, or the only one.

        Raises:
            UnknownName: There is none, or more than one and no name.
        """
        return _find("model", self.models, name)


def _find(noun: str, known: dict[str, T], name: str | None) -> T:
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None or name not in known:
        raise UnknownName(
            f"no such {noun}" if name else f"which {noun}?",
            found=repr(name) if name else None,
            expected=f"one of {', '.join(known) or 'none declared'}",
        )
    return known[name]
