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
from drivetrain.features.aggregate import Aggregate, Kind, window_text, window_words
from drivetrain.features.entity import Entity

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
        window: Window length in microseconds; ``None`` for the whole history, and for ``last``.
        digest: Digest of its meaning.
        words: What it is, in plain words.
        description: What its author says of it.
    """

    name: str
    kind: Kind
    input: int
    window: Micros | None
    digest: Digest
    words: str
    description: str


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
            if feature.kind != "last" and (feature.window is None or feature.window > ttl):
                span = "the whole history" if feature.window is None else window_words(feature.window)
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
        made = []
        for asked in self.features:
            is_last = asked.kind == "last"
            for window in asked.windows or (None,):
                meaning = [*base, asked.kind, asked.input_digest, window, self.ttl if is_last else None]
                words = asked.words(window)
                if is_last and self.ttl is not None:
                    words += f", if no older than {window_words(self.ttl)}"
                made.append(
                    Feature(
                        asked.stem if is_last else f"{asked.stem}_{window_text(window)}",
                        asked.kind,
                        position[asked.input_digest],
                        window,
                        digest(meaning),
                        words,
                        asked.description,
                    )
                )
        return tuple(made)

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
        spans = [feature.window or 0 for feature in self.columns if feature.kind != "last"]
        if self.ttl is not None and any(feature.kind == "last" for feature in self.columns):
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
