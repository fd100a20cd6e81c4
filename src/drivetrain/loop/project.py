"""The project: everything declared under one name, and every command as a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, overload

import polars as pl

from drivetrain.core.clock import Micros, duration, micros_of
from drivetrain.core.errors import ProjectError
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import Trainer
from drivetrain.core.records import Alias, Decision
from drivetrain.core.settings import Settings, load_settings
from drivetrain.data.contract import Contract
from drivetrain.data.reader import Reader
from drivetrain.data.source import Source
from drivetrain.evaluate.gate import Gate
from drivetrain.features.aggregate import Aggregate
from drivetrain.features.entity import Entity
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.loop import commands
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.doctor import doctor
from drivetrain.loop.endpoint import Endpoint, Traffic
from drivetrain.loop.loading import load_file
from drivetrain.loop.model import Group, Model, checked_features
from drivetrain.loop.plan import PlannedStep
from drivetrain.loop.runner import Outcome
from drivetrain.loop.skew import skew
from drivetrain.loop.status import status
from drivetrain.loop.trace import trace
from drivetrain.loop.watch import watch
from drivetrain.monitor.spec import Monitor
from drivetrain.train.split import TimeSplit
from drivetrain.train.tune import Tune

T = TypeVar("T")
Function: TypeAlias = Callable[[pl.DataFrame], list[pl.Expr]]


class Project(Definitions):
    """A model's whole production life under one name.

    Args:
        name: Short name, used in state and on the dashboard.
        objective: What the model is for, in a sentence a customer would recognise.
        metric: The figure that stands for the objective.

    Example:
        >>> import drivetrain as dt
        >>> project = dt.Project("flights", objective="Warn passengers early", metric="average_precision")
        >>> project.name
        'flights'
    """

    @classmethod
    def load(cls, folder: str | Path = ".", *, settings: Settings | None = None) -> Project:
        """The project declared in a folder's ``project.py``.

        Raises:
            ProjectError: There is none, it does not run, or it declares no project; the message names file and line.
            SettingsError: ``drivetrain.toml`` or the environment can't be used.
        """
        place = Path(folder).resolve()
        read = settings or load_settings(place)
        project = load_file(place / read.project, cls)
        project.folder = place
        project.settings = read
        return project

    # ---- declarations ----

    def source(
        self,
        name: str,
        reader: Reader,
        *,
        key: str | Sequence[str],
        contract: Contract | None = None,
        time: str | None = None,
        available: str | None = None,
        delay: str | int = 0,
        prepare: Callable[..., pl.DataFrame] | None = None,
        uses: Sequence[Source] = (),
        description: str = "",
        owner: str = "",
    ) -> Source:
        """Declares where raw rows arrive.

        Args:
            name: Name of the source and of the table its rows become.
            reader: ``dt.files(…)`` or ``dt.sql(…)``.
            key: Column or columns that name a row.
            contract: What rows must be.
            time: Column of the event's time; none for facts that hold always.
            available: Column that says when the row became known; by default its event time plus ``delay``.
            delay: How long after its event a row is known, for example ``"1h"``.
            prepare: ``prepare(rows, **tables)`` → cleaned rows, in Polars; its code is part of the source's meaning.
            uses: Sources whose tables ``prepare`` and the contract look up.
            description: For people.
            owner: Whom to ask.
        """
        made = Source(
            name=name,
            reader=reader,
            key=(key,) if isinstance(key, str) else tuple(key),
            time=time,
            available=available,
            delay=duration(delay),
            contract=contract or Contract({}),
            prepare=prepare,
            uses=tuple(uses),
            description=description,
            owner=owner,
        )
        return _declare(self.sources, "source", name, made)

    def feature_view(
        self,
        name: str,
        *,
        entity: Entity,
        source: Source,
        features: Sequence[Aggregate],
        ttl: str | int | None = None,
        time: str | None = None,
        available: str | None = None,
        delay: str | int | None = None,
        description: str = "",
        owner: str = "",
    ) -> FeatureView:
        """Declares features of an entity, computed from a source's table.

        Args:
            name: Name of the view; features are called ``view.feature``.
            entity: What the features describe.
            source: Where the events come from.
            features: Aggregates such as ``dt.mean("amount", windows=["7d"])``.
            ttl: How old a value may grow before it counts as unknown.
            time: Event time column, if not the source's own.
            available: Availability column, if not the source's own.
            delay: Availability as a delay after the event, if not the source's own.
            description: For people.
            owner: Whom to ask.
        """
        made = FeatureView(
            name=name,
            entity=entity,
            source=source,
            features=tuple(features),
            ttl=None if ttl is None else duration(ttl),
            time=time,
            available=available,
            delay=None if delay is None else duration(delay),
            description=description,
            owner=owner,
        )
        return _declare(self.views, "feature view", name, made)

    @overload
    def request_features(self, function: Function, *, inputs: Mapping[str, str] | None = None) -> RequestFeatures: ...

    @overload
    def request_features(
        self, function: None = None, *, inputs: Mapping[str, str] | None = None
    ) -> Callable[[Function], RequestFeatures]: ...

    def request_features(
        self, function: Function | None = None, *, inputs: Mapping[str, str] | None = None
    ) -> RequestFeatures | Callable[[Function], RequestFeatures]:
        """Declares features computed from the request itself, offline and online by the same function.

        Args:
            function: ``function(requests)`` → Polars expressions over the request's fields, each named.
            inputs: Field → type (``string``, ``int``, ``float``, ``bool``, ``time``).
        """

        def declare(wrapped: Function) -> RequestFeatures:
            made = RequestFeatures(name=wrapped.__name__, function=wrapped, inputs=dict(inputs or {}))
            return _declare(self.requests, "request features", made.name, made)

        return declare if function is None else declare(function)

    def model(
        self,
        name: str,
        *,
        label: Label,
        features: Sequence[Group],
        trainer: Trainer,
        split: TimeSplit,
        tune: Tune | None = None,
        baselines: Mapping[str, Trainer] | None = None,
        slices: Sequence[str] = (),
        protected: Sequence[str] = (),
        gates: Sequence[Gate] = (),
        seed: int = 0,
        **words: Any,  # noqa: ANN401 - description, owner, positive, rows and limits of Model
    ) -> Model:
        """Declares what is to be learned; see :class:`Model`, whose words for people may be given too."""
        made = Model(
            name=name,
            label=label,
            features=checked_features(name, features),
            trainer=trainer,
            split=split,
            tune=tune,
            baselines=dict(baselines or {}),
            slices=tuple(slices),
            protected=tuple(protected),
            gates=tuple(gates),
            metric=self.metric,
            seed=seed,
            **words,
        )
        known = made.feature_names()
        for column in (*slices, *protected):
            if column not in known:
                raise ProjectError(
                    f"model {name!r} slices by a feature it does not have",
                    found=repr(column),
                    expected=f"one of {', '.join(known)}",
                )
        return _declare(self.models, "model", name, made)

    def endpoint(self, name: str, *, model: Model, traffic: Traffic | None = None, description: str = "") -> Endpoint:
        """Declares the name callers use for a model, and, for :meth:`replay`, the world that calls it."""
        made = Endpoint(name=name, model=model, traffic=traffic, description=description)
        return _declare(self.endpoints, "endpoint", name, made)

    def monitor(self, endpoint: str, **watched: Any) -> Monitor:  # noqa: ANN401 - the fields of Monitor
        """Declares what is watched on an endpoint; the arguments are the fields of :class:`Monitor`."""
        if endpoint not in self.endpoints:
            raise ProjectError(
                "a monitor names an endpoint that is not declared",
                found=repr(endpoint),
                expected=f"one of {', '.join(self.endpoints) or 'none so far'}",
            )
        return _declare(self.monitors, "monitor", endpoint, Monitor(endpoint=endpoint, **watched))

    # ---- commands ----

    def plan(self) -> list[PlannedStep]:
        """What :meth:`run` would do, and why; does nothing."""
        return commands.plan(self)

    def run(
        self, *, only: str | None = None, progress: Progress | None = None, at: Micros | str | None = None
    ) -> Outcome:
        """Brings everything up to date: ingests, computes features, trains, judges, registers, releases.

        Args:
            only: ``"data"`` to stop after tables and online features.
            progress: Who watches.
            at: The moment decisions are dated, where history is made up for; the present by default.
        """
        return commands.run(self, only=only, progress=progress, at=None if at is None else micros_of(at))

    def serve(self) -> None:
        """Serves every endpoint until the process is told to stop; a port in use is said before anything starts."""
        commands.serve(self)

    def watch(
        self,
        *,
        every: float = 30.0,
        looks: int | None = None,
        tell: Callable[[Decision], None] | None = None,
    ) -> None:
        """Takes in what is new and looks at the monitors every ``every`` seconds, for ever or ``looks`` times."""
        watch(self, commands.glance, every=every, looks=looks, tell=tell)

    def status(self) -> dict[str, Any]:
        """How tables, versions, endpoints and monitors stand."""
        return status(self)

    def predict(
        self, endpoint: str | None, instances: Sequence[Mapping[str, Any]], *, at: Micros | str | None = None
    ) -> dict[str, Any]:
        """Asks the running endpoint; its answer as it came."""
        return commands.predict(self, endpoint, instances, at=None if at is None else micros_of(at))

    def trace(self, prediction: str) -> dict[str, Any]:
        """The chain behind a prediction, from its request back to raw rows and commit, and on to its label.

        Args:
            prediction: A request's id, or ``id/row`` for one of its instances.
        """
        return trace(self, prediction)

    def skew(self, endpoint: str | None = None, *, since: Micros | str | None = None) -> dict[str, Any]:
        """Recomputes logged features offline, as of each request, and counts what differs."""
        return skew(self, endpoint, since=None if since is None else micros_of(since))

    def promote(self, model: str | None, version: int, *, because: str, actor: str = "person") -> Alias:
        """Makes a version that passed its gates the champion."""
        return commands.promote(self, model, version, because=because, actor=actor)

    def rollback(self, model: str | None = None, *, because: str, actor: str = "person") -> Alias:
        """Brings the last champion back."""
        return commands.rollback(self, model, because=because, actor=actor)

    def tick(self, now: Micros, *, progress: Progress | None = None) -> list[Decision]:
        """One look of the monitors as of ``now``, and what follows from it; what :meth:`watch` repeats."""
        return commands.tick(self, now, progress=progress)

    def replay(
        self,
        endpoint: str | None = None,
        *,
        since: Micros | str,
        until: Micros | str,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Plays the declared traffic against the live endpoint, day after day in compressed time."""
        return commands.replay(self, endpoint, micros_of(since), micros_of(until), progress=progress)

    def doctor(self) -> list[dict[str, Any]]:
        """Checks what the project stands on; each finding says what to do."""
        return doctor(self)


def _declare(known: dict[str, T], noun: str, name: str, made: T) -> T:
    if name in known:
        raise ProjectError(f"two {noun}s are called {name!r}", do="Give one of them another name")
    known[name] = made
    return made
