"""What a project can declare: sources, feature views, request features, models, endpoints and monitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, overload

import polars as pl

from drivetrain.core.clock import duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.protocols import Trainer
from drivetrain.data.contract import Contract
from drivetrain.data.reader import Reader
from drivetrain.data.source import Source
from drivetrain.evaluate.gate import Gate
from drivetrain.features.aggregate import Aggregate
from drivetrain.features.entity import Entity
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint, Traffic
from drivetrain.loop.model import Group, Model, checked_features
from drivetrain.monitor.spec import Monitor
from drivetrain.train.split import TimeSplit
from drivetrain.train.tune import Tune

T = TypeVar("T")
Function: TypeAlias = Callable[[pl.DataFrame], list[pl.Expr]]


class Declarations(Definitions):
    """The methods that declare the nouns of a project."""

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


def _declare(known: dict[str, T], noun: str, name: str, made: T) -> T:
    if name in known:
        raise ProjectError(f"two {noun}s are called {name!r}", do="Give one of them another name")
    known[name] = made
    return made
