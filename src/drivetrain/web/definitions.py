"""Definitions in words: what a project declared, as its pages say it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from drivetrain.data.column import Column
from drivetrain.data.source import Source
from drivetrain.features.derived import DerivedView
from drivetrain.features.inherit import derived_features, view_features
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.web.words import listed


class FeatureWords(msgspec.Struct, frozen=True):
    """One feature: its full name, what it is, what its author said of it, whom to ask, and who may see its values."""

    name: str
    words: str
    description: str = ""
    owner: str = ""
    privacy: str = ""
    """The strictest class of the columns it reads; empty where it reads no table."""


class ViewWords(msgspec.Struct, frozen=True):
    """One feature view, one function over the request, or one view of other features."""

    name: str
    entity: str
    keys: tuple[str, ...]
    source: str
    """The table it reads; empty where it reads the request or other features."""
    ttl: str
    features: tuple[FeatureWords, ...]
    description: str = ""
    owner: str = ""


class ColumnWords(msgspec.Struct, frozen=True):
    """One column of a contract."""

    name: str
    type: str
    rule: str
    privacy: str
    description: str


def length(micros: Micros) -> str:
    """A length of time in words.

    Example:
        >>> length(7 * DAY), length(HOUR)
        ('7 days', '1 hour')
    """
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if micros >= unit and micros % unit == 0:
            number = micros // unit
            return f"{number} {word}{'s' if number != 1 else ''}"
    return f"{micros / SECOND:g} seconds"


def view_words(view: FeatureView, source: Source) -> ViewWords:
    """A feature view in words, with what it inherits from its source."""
    return ViewWords(
        name=view.name,
        entity=view.entity.name,
        keys=tuple(view.entity.keys),
        source=source.name,
        ttl="" if view.ttl is None else length(view.ttl),
        features=tuple(
            FeatureWords(one.name, one.words, one.description, one.owner, one.privacy)
            for one in view_features(view, source)
        ),
        description=view.description,
        owner=view.owner or source.owner,
    )


def request_words(request: RequestFeatures) -> ViewWords:
    """Features computed from the request, in words."""
    said = request.description or (request.function.__doc__ or "").strip().partition("\n")[0]
    return ViewWords(
        name=request.name,
        entity="the request itself",
        keys=tuple(request.inputs),
        source="",
        ttl="",
        features=tuple(FeatureWords(name, words) for name, words in request.words().items()),
        description=said,
        owner=request.owner,
    )


def derived_words(view: DerivedView, sources: Mapping[str, Source]) -> ViewWords:
    """Features made from other features, in words, with what they inherit from these."""
    return ViewWords(
        name=view.name,
        entity="other features",
        keys=tuple(group.name for group in view.parents) + tuple(name for name in view.inputs if name in view.reads),
        source="",
        ttl="",
        features=tuple(
            FeatureWords(one.name, one.words, one.description, one.owner, one.privacy)
            for one in derived_features(view, sources)
        ),
        description=view.description,
        owner=view.owner,
    )


def columns_words(source: Source | None) -> list[ColumnWords]:
    """The columns of a source's contract."""
    columns = source.contract.columns if source else {}
    return [
        ColumnWords(name, column.type, rule(column), column.privacy, column.description)
        for name, column in columns.items()
    ]


def rule(column: Column) -> str:
    """What values of a column must hold; empty where any will do.

    Example:
        >>> rule(Column("int", low=0, high=2400, nullable=False))
        'from 0 to 2400 and never empty'
        >>> rule(Column("time", increasing=True, complete=0.9))
        'never falling and there in 90% of rows or more'
    """
    parts = []
    if column.low is not None and column.high is not None:
        parts.append(f"from {column.low} to {column.high}")
    elif column.low is not None:
        parts.append(f"at least {column.low}")
    elif column.high is not None:
        parts.append(f"at most {column.high}")
    if column.among:
        parts.append(f"one of {listed(map(str, column.among), 'or')}")
    if column.pattern:
        parts.append(f"written as {column.pattern}")
    if column.references:
        parts.append(f"found in {'.'.join(column.references)}")
    told = {"no value twice": column.unique, "never falling": column.increasing, "never empty": not column.nullable}
    parts += [words for words, holds in told.items() if holds]
    if column.complete is not None:
        parts.append(f"there in {column.complete:.0%} of rows or more")
    return listed(parts)


def model_of(endpoint: object) -> str:
    """The name of the model an endpoint serves."""
    return str(getattr(getattr(endpoint, "model", None), "name", ""))
