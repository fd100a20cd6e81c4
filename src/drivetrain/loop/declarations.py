"""What a project can declare: sources, feature views, request features, models, endpoints and monitors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar, get_args, overload

import polars as pl

from drivetrain.core.clock import Micros, duration
from drivetrain.core.errors import ProjectError
from drivetrain.core.protocols import Trainer
from drivetrain.core.records.task import KINDS, TaskKind
from drivetrain.data.contract import Contract
from drivetrain.data.reader import Reader
from drivetrain.data.source import Source
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.metrics import metric_for, metric_of, suits
from drivetrain.features.aggregate import Aggregate
from drivetrain.features.derived import DerivedView
from drivetrain.features.entity import Entity
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.loop.endpoint import Endpoint, Traffic
from drivetrain.loop.kind import declared_kind
from drivetrain.loop.model import Group, Model, check_allowed, check_columns, check_treated_alike, checked_features
from drivetrain.loop.watching.declaring import Watches
from drivetrain.monitor.spec import Monitor, Performance
from drivetrain.serve.plan import Fallback, FeaturesAway
from drivetrain.train.encode import TargetEncode
from drivetrain.train.impute import Impute
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.select import Select
from drivetrain.train.split import Splitter
from drivetrain.train.text.encoder import Text
from drivetrain.train.tune import Tune
from drivetrain.train.weigh import ClassWeights, Reweigh

T = TypeVar("T")
G = TypeVar("G", FeatureView, RequestFeatures, DerivedView)
Function: TypeAlias = Callable[[pl.DataFrame], list[pl.Expr]]

_FALLBACKS: tuple[str, ...] = ("previous",)


class Declarations(Watches):
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
        deleted: str | None = None,
        prepare: Callable[..., pl.DataFrame] | None = None,
        uses: Sequence[Source] = (),
        description: str = "",
        owner: str = "",
        purpose: str = "",
        retain: str | int | None = None,
    ) -> Source:
        """Declares where raw rows arrive.

        Args:
            name: Name of the source and of the table its rows become.
            reader: ``dt.files(…)``, ``dt.sql(…)``, ``dt.http(…)``, ``dt.stream(…)``, ``dt.rows(…)`` or ``dt.dlt(…)``.
            key: Column or columns that name a row.
            contract: What rows must be.
            time: Column of the event's time; none for facts that hold always.
            available: Column that says when the row became known; by default its event time plus ``delay``.
            delay: How long after its event a row is known, for example ``"1h"``.
            deleted: Column that says that a row was deleted where it came from (true, or anything but null or false):
                the row with its key is taken out of the table.
            prepare: ``prepare(rows, **tables)`` → cleaned rows, in Polars; its code is part of the source's meaning. Or
                declared steps: ``dt.clean(…)``.
            uses: Sources whose tables ``prepare`` and the contract look up.
            description: For people.
            owner: Whom to ask.
            purpose: Why its rows are kept, for who asks about personal data.
            retain: How long rows are kept after their event, for example ``"90d"``; for ever by default.
        """
        made = Source(
            name=name,
            reader=reader,
            key=(key,) if isinstance(key, str) else tuple(key),
            time=time,
            available=available,
            delay=duration(delay),
            contract=contract or Contract({}),
            deleted=deleted,
            prepare=prepare,
            uses=tuple(uses),
            description=description,
            owner=owner,
            purpose=purpose,
            retain=None if retain is None else duration(retain),
        )
        return _declare(self.sources, "source", name, made)

    @overload
    def feature_view(
        self,
        name: str,
        *,
        entity: Entity,
        source: Source,
        features: Sequence[Aggregate],
        ttl: str | int | None = None,
        on: Mapping[str, str] | None = None,
        time: str | None = None,
        available: str | None = None,
        delay: str | int | None = None,
        description: str = "",
        owner: str = "",
    ) -> FeatureView: ...

    @overload
    def feature_view(
        self,
        name: str,
        *,
        of: Sequence[Group],
        features: Sequence[pl.Expr],
        inputs: Mapping[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> DerivedView: ...

    def feature_view(
        self,
        name: str,
        *,
        features: Sequence[Any],
        entity: Entity | None = None,
        source: Source | None = None,
        of: Sequence[Group] | None = None,
        inputs: Mapping[str, str] | None = None,
        ttl: str | int | None = None,
        on: Mapping[str, str] | None = None,
        time: str | None = None,
        available: str | None = None,
        delay: str | int | None = None,
        description: str = "",
        owner: str = "",
    ) -> FeatureView | DerivedView:
        """Declares features of an entity, computed from a source's table; or, with ``of``, from other features.

        Args:
            name: Name of the view; features are called ``view.feature``.
            features: Aggregates such as ``dt.mean("amount", windows=["7d"])``. With ``of``, expressions over full names
                of features, such as ``(pl.col("card.mean_amount_1d") / pl.col("card.mean_amount_30d")).alias("rise")``.
            entity: What the features describe.
            source: Where the events come from.
            of: Views, request features and other such views whose features may be read; instead of entity and source.
            inputs: With ``of``, request field that may be read → its type, as :meth:`request_features` has them.
            ttl: How old a value may grow before it counts as unknown.
            on: Key of the entity → column of the source's table, where they are called differently.
            time: Event time column, if not the source's own.
            available: Availability column, if not the source's own.
            delay: Availability as a delay after the event, if not the source's own.
            description: For people.
            owner: Whom to ask.

        Raises:
            ProjectError: It can't be as declared.
        """
        if of is not None:
            rows = {"entity": entity, "source": source, "ttl": ttl, "on": on, "time": time}
            rows |= {"available": available, "delay": delay}
            given = [word for word, value in rows.items() if value is not None]
            if given:
                raise ProjectError(
                    f"view {name!r} is made from other features, and has no rows of its own",
                    found=", ".join(f"{word}=" for word in given),
                    expected="of=, features= and inputs=",
                    do=f"Leave out {', '.join(f'{word}=' for word in given)}, or leave out of=",
                )
            derived = DerivedView(
                name=name,
                of=tuple(of),
                expressions=tuple(features),
                inputs=dict(inputs or {}),
                description=description,
                owner=owner,
            )
            return self._declare_group(self.derived, derived)
        if entity is None or source is None or inputs is not None:
            raise ProjectError(
                f"view {name!r} needs to know what it is made from",
                found="inputs=, which are read with of= only" if inputs is not None else None,
                expected="entity= and source=, or of=",
            )
        made = FeatureView(
            name=name,
            entity=entity,
            source=source,
            features=tuple(features),
            ttl=None if ttl is None else duration(ttl),
            on=dict(on or {}),
            time=time,
            available=available,
            delay=None if delay is None else duration(delay),
            description=description,
            owner=owner,
        )
        return self._declare_group(self.views, made)

    @overload
    def request_features(
        self, function: Function, *, inputs: Mapping[str, str] | None = None, description: str = "", owner: str = ""
    ) -> RequestFeatures: ...

    @overload
    def request_features(
        self,
        function: None = None,
        *,
        inputs: Mapping[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> Callable[[Function], RequestFeatures]: ...

    def request_features(
        self,
        function: Function | None = None,
        *,
        inputs: Mapping[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> RequestFeatures | Callable[[Function], RequestFeatures]:
        """Declares features computed from the request itself, offline and online by the same function.

        Args:
            function: ``function(requests)`` → Polars expressions over the request's fields, each named.
            inputs: Field → type (``string``, ``int``, ``float``, ``bool``, ``time`` or ``date``).
            description: For people; by default the first line of the function's docstring.
            owner: Whom to ask.
        """

        def declare(wrapped: Function) -> RequestFeatures:
            made = RequestFeatures(
                name=wrapped.__name__,
                function=wrapped,
                inputs=dict(inputs or {}),
                description=description,
                owner=owner,
            )
            return self._declare_group(self.requests, made)

        return declare if function is None else declare(function)

    def _declare_group(self, known: dict[str, G], made: G) -> G:
        """Features are called after what makes them, so no two of these may have one name."""
        if made.name in {**self.views, **self.requests, **self.derived}:
            raise ProjectError(f"two groups of features are called {made.name!r}", do="Give one of them another name")
        known[made.name] = made
        return made

    def model(
        self,
        name: str,
        *,
        label: Label,
        features: Sequence[Group],
        trainer: Trainer,
        split: Splitter,
        tune: Tune | None = None,
        baselines: Mapping[str, Trainer] | None = None,
        slices: Sequence[str] = (),
        protected: Sequence[str | Protected] = (),
        weigh: Reweigh | ClassWeights | None = None,
        impute: Impute | Sequence[Impute] = (),
        text: Text | Sequence[Text] = (),
        encode: TargetEncode | Sequence[TargetEncode] = (),
        select: Select | None = None,
        leakage: Leakage = Leakage(),
        gates: Sequence[Gate] = (),
        metric: str | None = None,
        bootstrap: Bootstrap = Bootstrap(),
        seed: int = 0,
        **words: Any,  # noqa: ANN401 - calibrate, threshold, conformal and words of Model
    ) -> Model:
        """Declares what is to be learned; see :class:`Model`, whose other fields may be given too.

        These are words for people, and how answers are read: ``calibrate``, ``threshold``, ``conformal``.

        What rows are told apart by (``slices``, ``protected``, ``weigh``) is a feature of the model by full name, a
        field of the request, or a column of the label's table that the model does not read. The label's kind decides
        which metrics there are; gates, tuning and ``metric`` default to what suits it, and what does not is refused:
        here where the declaration tells the kind, else when the training set does.
        """
        made = Model(
            name=name,
            label=label,
            features=checked_features(name, features),
            trainer=trainer,
            split=split,
            tune=tune,
            baselines=dict(baselines or {}),
            slices=tuple(slices),
            protected=tuple(Protected(each) if isinstance(each, str) else each for each in protected),
            weigh=weigh,
            impute=(impute,) if isinstance(impute, Impute) else tuple(impute),
            text=tuple(text) if isinstance(text, Sequence) else (text,),
            encode=(encode,) if isinstance(encode, TargetEncode) else tuple(encode),
            select=select,
            leakage=leakage,
            gates=tuple(gates),
            metric=self.metric if metric is None else metric,
            bootstrap=bootstrap,
            seed=seed,
            **words,
        )
        kind = declared_kind(label)
        if kind is not None:
            made.check_kind(kind)
            made = replace(made, metric=made.metric_of(kind))
        if metric is not None and made.metric != metric_of(metric).name:
            raise ProjectError(
                f"the metric of model {name!r} does not suit its label", found=repr(metric),
                expected=f"one such as {made.metric}",
            )  # fmt: skip
        check_columns(made)
        check_allowed(made)
        check_treated_alike(made)
        return _declare(self.models, "model", name, made)

    def endpoint(
        self,
        name: str,
        *,
        model: Model,
        traffic: Traffic | None = None,
        features_away: FeaturesAway = "refuse",
        deadline: str | Micros | None = None,
        fallback: Fallback = None,
        keep_sensitive: bool = False,
        description: str = "",
    ) -> Endpoint:
        """Declares the name callers use for a model.

        Args:
            name: The name.
            model: Whose champion answers.
            traffic: The world that calls it, for :meth:`replay`.
            features_away: What happens while the online store can't be read: ``refuse`` answers 503; ``null`` predicts
                as if nothing were known of any entity, and says so in the answer.
            deadline: How long a request may take, such as ``"50ms"``; models then run beside the event loop, and one
                that takes longer is given up.
            fallback: What answers where the champion fails or is too slow, marked in answer and log: ``"previous"``,
                the champion before it, or a number.
            keep_sensitive: Whether the prediction log keeps fields and features that are classed ``sensitive``. They
                are withheld by default, as ``secret`` ones always are: ``skew`` can't compare them, drift of them is
                not watched.
            description: For people.
        """
        if features_away not in get_args(FeaturesAway):
            raise ProjectError(
                f"endpoint {name!r} does not say what happens while the online store is away",
                found=repr(features_away),
                expected=" or ".join(get_args(FeaturesAway)),
            )
        if isinstance(fallback, str) and fallback not in _FALLBACKS:
            raise ProjectError(
                f"endpoint {name!r} falls back on nothing known",
                found=repr(fallback),
                expected="'previous' or a number",
            )
        made = Endpoint(
            name=name,
            model=model,
            traffic=traffic,
            features_away=features_away,
            deadline=None if deadline is None else duration(deadline),
            fallback=fallback if fallback is None or isinstance(fallback, str) else float(fallback),
            keep_sensitive=keep_sensitive,
            description=description,
        )
        return _declare(self.endpoints, "endpoint", name, made)

    def monitor(self, endpoint: str, **watched: Any) -> Monitor:  # noqa: ANN401 - the fields of Monitor
        """Declares what is watched on an endpoint; the arguments are the fields of :class:`Monitor`.

        Of a model that tells anything but a yes or no, performance is watched if it is asked for, by a metric that
        suits; of classes and orders it can't be, for labels that come back are numbers.

        Raises:
            ProjectError: There is no such endpoint, or what is watched does not suit its model.
        """
        if endpoint not in self.endpoints:
            raise ProjectError(
                "a monitor names an endpoint that is not declared",
                found=repr(endpoint),
                expected=f"one of {', '.join(self.endpoints) or 'none so far'}",
            )
        kind = declared_kind(self.endpoints[endpoint].model.label)
        if kind not in {None, "binary"} and "performance" not in watched:
            watched["performance"] = None  # what counts as a fall, only the unit of the label could say
        made = Monitor(endpoint=endpoint, **watched)
        if kind is not None and made.performance is not None:
            _check_watched(endpoint, kind, made.performance)
        return _declare(self.monitors, "monitor", endpoint, made)


def _check_watched(endpoint: str, kind: TaskKind, asked: Performance) -> None:
    """Refuses rules on performance that could never speak."""
    if not suits(asked.metric, kind):
        raise ProjectError(
            f"the monitor of {endpoint!r} watches {asked.metric}, which does not suit a label that is {KINDS[kind]}",
            expected=f"a metric such as {metric_for(kind)}, and how much worse it may get",
            do=f'Say dt.Performance(metric="{metric_for(kind)}", drop=…, also={{}}, calibration=None)',
        )


def _declare(known: dict[str, T], noun: str, name: str, made: T) -> T:
    if name in known:
        raise ProjectError(f"two {noun}s are called {name!r}", do="Give one of them another name")
    known[name] = made
    return made
