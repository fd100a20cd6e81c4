"""Definitions in words: what a project declared, as its pages say it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, Micros
from drivetrain.web.words import listed

_COLUMN = re.compile(r'col\("([^"]*)"\)')
_VERBS = {
    "last": "latest {of}",
    "count": "number of events",
    "sum": "sum of {of}",
    "mean": "mean of {of}",
    "min": "smallest {of}",
    "max": "largest {of}",
    "std": "spread (standard deviation) of {of}",
    "share": "share of events where {of}",
}


class FeatureWords(msgspec.Struct, frozen=True):
    """One declared aggregate, with the features it makes."""

    words: str
    names: tuple[str, ...]
    description: str = ""


class ViewWords(msgspec.Struct, frozen=True):
    """One feature view, or one function over the request."""

    name: str
    entity: str
    keys: tuple[str, ...]
    source: str
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


def length(micros: Micros | None) -> str:
    """A window's length in words.

    Example:
        >>> length(7 * DAY), length(HOUR), length(None)
        ('7 days', '1 hour', 'all time')
    """
    if micros is None:
        return "all time"
    for unit, word in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")):
        if micros >= unit and micros % unit == 0:
            number = micros // unit
            return f"{number} {word}{'s' if number != 1 else ''}"
    return f"{micros / SECOND:g} seconds"


def expression(column: object) -> str:
    """An expression as text: ``[(col("a")) - (col("b"))]`` is ``a - b``."""
    if column is None:
        return "events"
    text = _COLUMN.sub(r"\1", str(column))
    text = re.sub(r"\((\w+)\)", r"\1", text)
    return text[1:-1] if text.startswith("[") and text.endswith("]") and text.count("[") == 1 else text


def aggregate_words(aggregate: object, source: str) -> str:
    """What an aggregate is, as a sentence says it."""
    kind = str(getattr(aggregate, "kind", ""))
    words = _VERBS.get(kind, kind + " of {of}").format(of=expression(getattr(aggregate, "column", None)))
    where = getattr(aggregate, "where", None)
    if where is not None:
        words += f", counting only events where {expression(where)}"
    windows: tuple[Micros | None, ...] = tuple(getattr(aggregate, "windows", ()) or ())
    if windows and kind != "last":
        words += f" over the last {listed(map(length, windows))}" if windows != (None,) else " over all time"
    return f"{words}, from {source} known by then"


def view_words(view: Any) -> ViewWords:  # noqa: ANN401 - a definition of the floor below
    """A feature view in words."""
    source = str(getattr(view.source, "name", view.source))
    names = [str(name) for name in view.feature_names]
    features = []
    at = 0
    for aggregate in view.features:
        made = 1 if aggregate.kind == "last" else max(1, len(aggregate.windows or ()))
        features.append(
            FeatureWords(
                aggregate_words(aggregate, source),
                tuple(names[at : at + made]),
                str(getattr(aggregate, "description", "") or ""),
            )
        )
        at += made
    return ViewWords(
        name=view.name,
        entity=str(view.entity.name),
        keys=tuple(view.entity.keys),
        source=source,
        ttl=length(view.ttl) if view.ttl is not None else "",
        features=tuple(features),
        description=str(getattr(view, "description", "") or ""),
        owner=str(getattr(view, "owner", "") or ""),
    )


def request_words(request: Any) -> ViewWords:  # noqa: ANN401 - a definition of the floor below
    """Features computed from the request, in words."""
    doc = (getattr(request.function, "__doc__", "") or "").strip().partition("\n")[0]
    return ViewWords(
        name=request.name,
        entity="the request itself",
        keys=tuple(getattr(request, "inputs", {}) or {}),
        source="the request",
        ttl="",
        features=(),
        description=doc,
    )


def columns_words(source: object) -> list[ColumnWords]:
    """The columns of a source's contract."""
    columns = getattr(getattr(source, "contract", None), "columns", None) or {}
    return [
        ColumnWords(
            name,
            str(getattr(column, "type", "")),
            _rule(column),
            str(getattr(column, "privacy", "internal")),
            str(getattr(column, "description", "") or ""),
        )
        for name, column in columns.items()
    ]


def model_of(endpoint: object) -> str:
    """The name of the model an endpoint serves."""
    model = getattr(endpoint, "model", None)
    return str(getattr(model, "name", model))


def _rule(column: object) -> str:
    parts = []
    low, high = getattr(column, "low", None), getattr(column, "high", None)
    if low is not None and high is not None:
        parts.append(f"from {low} to {high}")
    elif low is not None:
        parts.append(f"at least {low}")
    elif high is not None:
        parts.append(f"at most {high}")
    if among := getattr(column, "among", None):
        parts.append(f"one of {listed(map(str, among), 'or')}")
    if pattern := getattr(column, "pattern", None):
        parts.append(f"written as {pattern}")
    if references := getattr(column, "references", None):
        parts.append(f"found in {'.'.join(map(str, references))}")
    if getattr(column, "nullable", True) is False:
        parts.append("never empty")
    return listed(parts)
