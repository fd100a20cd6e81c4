"""What a feature inherits from the columns it reads: who answers for it, what it is, and who may see its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

import msgspec

from drivetrain.data.column import Column, Privacy
from drivetrain.data.source import Source
from drivetrain.features.derived import DerivedView, Group
from drivetrain.features.request import RequestFeatures
from drivetrain.features.sketch import Sketch
from drivetrain.features.view import FeatureView, Input

CLASSES: tuple[Privacy, ...] = get_args(Privacy)
"""Privacy classes, from the most open to the strictest."""
UNDECLARED: Privacy = "internal"
"""The class of a column that no contract declares."""


class FeatureInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known of one feature.

    Attributes:
        name: Full name, ``view.feature``.
        words: What it is, in plain words made from the definition.
        description: What its author says of it, or else of the one column whose values it is made of.
        owner: Whom to ask: the view's owner, or else the source's.
        privacy: The strictest class of the columns it reads; ``internal`` where it reads none, as a count of rows does.
        reads: The columns it is computed from, without those of time and key.
        values: What its values look like; none where that is not known.
    """

    name: str
    words: str
    description: str = ""
    owner: str = ""
    privacy: Privacy = UNDECLARED
    reads: tuple[str, ...] = ()
    values: Sketch | None = None


def strictest(classes: Iterable[Privacy]) -> Privacy:
    """The class that binds what is made of values of several; ``internal`` for none.

    Example:
        >>> strictest(["public", "personal", "internal"])
        'personal'
    """
    return max(classes, key=CLASSES.index, default=UNDECLARED)


def privacy_of(names: Iterable[str], columns: Mapping[str, Column]) -> Privacy:
    """The strictest class of columns of a contract; one it does not declare is ``internal``."""
    return strictest(columns[name].privacy if name in columns else UNDECLARED for name in names)


def view_features(view: FeatureView, source: Source) -> tuple[FeatureInfo, ...]:
    """What is to be known of a view's features, in order."""
    columns = source.contract.columns
    found = []
    for name, feature in zip(view.feature_names, view.columns, strict=True):
        given = view.inputs[feature.input]
        reads = _reads(given)
        found.append(
            FeatureInfo(
                name=name,
                words=feature.words,
                description=feature.description or _said(given, columns),
                owner=view.owner or source.owner,
                privacy=privacy_of(reads, columns),
                reads=reads,
            )
        )
    return tuple(found)


def key_privacy(view: FeatureView, source: Source) -> Privacy:
    """The class of what a view is keyed by."""
    return privacy_of(view.key_columns, source.contract.columns)


def request_features(request: RequestFeatures, sources: Iterable[Source] = ()) -> tuple[FeatureInfo, ...]:
    """What is to be known of features of the request, in order.

    Args:
        request: The features.
        sources: Those whose rows are labelled for the models that use them: a request's fields are columns there.
    """
    contracts = [source.contract.columns for source in sources]
    words = request.words()
    found = []
    for name, expr in zip(request.feature_names, request.expressions, strict=True):
        reads = tuple(dict.fromkeys(expr.meta.root_names()))
        one = reads[0] if len(reads) == 1 else ""
        told = [columns[one].description for columns in contracts if one in columns]
        found.append(
            FeatureInfo(
                name=name,
                words=words[name],
                description=next(filter(None, told), ""),
                owner=request.owner,
                privacy=strictest(privacy_of(reads, columns) for columns in contracts),
                reads=reads,
            )
        )
    return tuple(found)


def derived_features(
    view: DerivedView, tables: Mapping[str, Source], sources: Sequence[Source] = ()
) -> tuple[FeatureInfo, ...]:
    """What is to be known of features made from other features, in order.

    Args:
        view: The features.
        tables: Sources by name.
        sources: Those whose rows are labelled for the models that use them: a request's fields are columns there.
    """
    known = {info.name: info for group in view.parents for info in _group_features(group, tables, sources)}
    words = view.words()
    found = []
    for name, expr in zip(view.feature_names, view.expressions, strict=True):
        reads = tuple(dict.fromkeys(expr.meta.root_names()))
        classes = [known[read].privacy for read in reads if read in known]
        fields = [read for read in reads if read not in known]
        classes += [privacy_of(fields, source.contract.columns) for source in sources if fields]
        found.append(
            FeatureInfo(name=name, words=words[name], owner=view.owner, privacy=strictest(classes), reads=reads)
        )
    return tuple(found)


def _group_features(group: Group, tables: Mapping[str, Source], sources: Sequence[Source]) -> tuple[FeatureInfo, ...]:
    if isinstance(group, FeatureView):
        return view_features(group, tables[group.source.name])
    if isinstance(group, DerivedView):
        return derived_features(group, tables, sources)
    return request_features(group, sources)


def _reads(given: Input) -> tuple[str, ...]:
    read = [expr.meta.root_names() for expr in (given.value, given.where) if expr is not None]
    return tuple(dict.fromkeys(name for names in read for name in names))


def _said(given: Input, columns: Mapping[str, Column]) -> str:
    names = set() if given.value is None else set(given.value.meta.root_names())
    name = names.pop() if len(names) == 1 else ""
    return columns[name].description if name in columns else ""
