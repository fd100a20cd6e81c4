"""Feature views: the features of one entity from one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.features.aggregate import LOOKED_UP, Aggregate, Kind
from drivetrain.features.entity import Entity
from drivetrain.features.window import window_text, window_words

EVENT_TIME = "_event_time"
AVAILABLE_AT = "_available_at"
SEQUENCE = "_seq"
_UTC = pl.Datetime("us", "UTC")


class Origin(Protocol):
    """The part of a source that views and labels read: the name of its table and the key of its rows."""

    @property
    def name(self) -> str:
        """Name of the source and of its table."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that name a row."""
        ...


@dataclass(frozen=True, eq=False)
class Input:
    """Values that aggregates are asked of: a row expression over the rows that a condition lets through."""

    value: pl.Expr | None
    where: pl.Expr | None
    digest: Digest


@dataclass(frozen=True, eq=False)
class Feature:
    """One column that a view makes.

    Attributes:
        name: Name within the view.
        kind: What is asked.
        input: Position of what it is asked of among the view's inputs.
        window: Window length in microseconds; ``None`` for the whole history, and for what is looked up.
        argument: Quantile, or rank from 0 among the newest or the most frequent values; none for the other kinds.
        offset: Microseconds before the request at which the window ends.
        hop: Microseconds by whose multiples the window begins; none where it begins anywhere.
        digest: Digest of its meaning.
        words: What it is, in plain words.
        description: What its author says of it.
    """

    name: str
    kind: Kind
    input: int
    window: Micros | None
    argument: float | None
    offset: Micros
    hop: Micros | None
    digest: Digest
    words: str
    description: str

    @property
    def looked_up(self) -> bool:
        """Whether it is read off the newest rows instead of being an aggregate over a window."""
        return self.kind in LOOKED_UP

    @property
    def reach(self) -> Micros:
        """How far back from a request its window may begin, or where it is endless, end; 0 where there is none."""
        return self.offset if self.window is None else self.window + self.offset + (self.hop or 1) - 1

    def begin(self, at: Micros) -> Micros | None:
        """The moment after which events are in the window of a request at ``at``; none for the whole history."""
        if self.window is None:
            return None
        begin = at - self.offset - self.window
        return begin if self.hop is None else begin // self.hop * self.hop


@dataclass(frozen=True, eq=False, kw_only=True)
class FeatureView:
    """Features of an entity, made from the rows of one table.

    A request at the moment ``t`` sees rows with event time and availability both at most ``t``. Values older than
    ``ttl`` (event time at most ``t - ttl``) are null. A request whose key is null, or has a null in it, has null
    features, counts included; a key no row has is an entity without events: its counts are 0.

    Attributes:
        name: Its name in the project.
        entity: What the features describe.
        source: Where the rows come from.
        features: What is asked of them.
        ttl: How old a value may be, in microseconds; no window may be longer, nor endless.
        on: Entity key → column of the table, where the two are called differently.
        time: Column to use as event time instead of the source's.
        available: Column to use as the time a row became known instead of the source's.
        delay: Microseconds from ``available`` (or event time) until a row is known; replaces the source's.
        description: For people.
        owner: Whom to ask.

    Raises:
        ProjectError: It can't be as declared.
    """

    name: str
    entity: Entity
    source: Origin
    features: Sequence[Aggregate]
    ttl: Micros | None = None
    on: Mapping[str, str] = field(default_factory=dict)
    time: str | None = None
    available: str | None = None
    delay: Micros | None = None
    description: str = ""
    owner: str = ""

    _repr_html_ = shown

    def __post_init__(self) -> None:
        if not self.features:
            raise ProjectError(f"view {self.name!r} has no features")
        unknown = sorted(set(self.on) - set(self.entity.keys))
        if unknown:
            raise ProjectError(
                f"view {self.name!r} maps keys its entity lacks", found=unknown, expected=list(self.entity.keys)
            )
        names = [feature.name for feature in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ProjectError(f"view {self.name!r} makes features of the same name", found=twice, do="Give them name=")
        if self.ttl is not None:
            self._check_ttl(self.ttl)

    def _check_ttl(self, ttl: Micros) -> None:
        if ttl <= 0:
            raise ProjectError(f"view {self.name!r} has a time to live of zero")
        for feature in self.columns:
            reach = feature.reach if feature.hop is None else feature.reach - feature.hop + 1
            if not feature.looked_up and (feature.window is None or reach > ttl):
                span = "the whole history" if feature.window is None else window_words(reach)
                raise ProjectError(
                    f"view {self.name!r} has a time to live of {window_words(ttl)}, shorter than a window",
                    found=f"{feature.name} over {span}",
                    do="Lengthen ttl, or move the feature to a view of its own",
                )

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """What the features are asked of, each once."""
        found: dict[Digest, Input] = {}
        for asked in self.features:
            found.setdefault(asked.input_digest, Input(asked.value, asked.where, asked.input_digest))
        return tuple(found.values())

    @cached_property
    def columns(self) -> tuple[Feature, ...]:
        """The features, in order: those of the first aggregate, window by window, then the next."""
        position = {given.digest: at for at, given in enumerate(self.inputs)}
        base = [self.entity.keys, sorted(self.on.items()), self.source.name, self.time, self.available, self.delay]
        return tuple(
            self._feature(asked, window, argument, position[asked.input_digest], base)
            for asked in self.features
            for argument in asked.arguments
            for window in asked.windows or (None,)
        )

    def _feature(
        self, asked: Aggregate, window: Micros | None, argument: float | None, given: int, base: Sequence[object]
    ) -> Feature:
        looked_up = asked.kind in LOOKED_UP
        ttl = self.ttl if looked_up else None
        hop = None if window is None else asked.hop
        meaning = [*base, asked.kind, asked.input_digest, window, argument or 0.0, asked.offset, hop, ttl]
        words = asked.words(window, argument, self.source.name)
        if ttl is not None:
            words += f", if no older than {window_words(ttl)}"
        ranked = asked.kind in ("last", "top") and asked.arguments != (None,) and argument is not None
        name = f"{asked.stem}_{int(argument) + 1}" if ranked and argument is not None else asked.stem
        return Feature(
            name if looked_up else f"{name}_{window_text(window)}",
            asked.kind,
            given,
            window,
            argument,
            asked.offset,
            hop,
            digest(meaning),
            words,
            asked.description,
        )

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Full names, ``view.feature``, in order."""
        return tuple(f"{self.name}.{feature.name}" for feature in self.columns)

    @cached_property
    def feature_digests(self) -> dict[str, Digest]:
        """Full name → digest of that feature's meaning alone."""
        return {full: feature.digest for full, feature in zip(self.feature_names, self.columns, strict=True)}

    @cached_property
    def digest(self) -> Digest:
        """Digest of the view's meaning; what is written for people changes nothing."""
        return digest([[feature.name, feature.digest] for feature in self.columns])

    @property
    def space(self) -> str:
        """The online store's space of this view at this definition."""
        return f"{self.name}@{self.digest}"

    @cached_property
    def horizon(self) -> Micros:
        """How far back from a request the longest finite window, or the time to live, reaches; microseconds."""
        spans = [feature.reach for feature in self.columns]
        if self.ttl is not None and any(feature.looked_up for feature in self.columns):
            spans.append(self.ttl)
        return max(spans, default=0)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Columns of the table that hold the entity's keys, in the entity's order."""
        return tuple(self.on.get(key, key) for key in self.entity.keys)

    def event_time(self) -> pl.Expr:
        """Expression of the event time."""
        return pl.col(self.time or EVENT_TIME)

    def available_at(self) -> pl.Expr:
        """Expression of the moment a row became known, before it is held to be no earlier than the event."""
        if self.available is not None:
            return _later(pl.col(self.available), self.delay or 0)
        if self.delay is not None:
            return _later(self.event_time(), self.delay)
        return pl.col(AVAILABLE_AT)


def _later(moment: pl.Expr, delay: Micros) -> pl.Expr:
    return moment + pl.duration(microseconds=delay) if delay else moment
