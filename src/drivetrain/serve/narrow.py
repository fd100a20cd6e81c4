"""What an endpoint looks up and computes, cut down to what the versions that answer it read.

An endpoint is declared by what its model may read. Where features were chosen, or made by hundreds to be chosen from,
a version reads few of them: of the others, no view is looked up, and no expression computed. What a request holds stays
as it is declared, so that callers need not change when a version is trained that reads more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from math import nan
from operator import itemgetter
from typing import Any

from drivetrain.core.clock import Micros
from drivetrain.core.protocols import OnlineStore
from drivetrain.features.derived import Computed, DerivedView
from drivetrain.serve.instance import Row
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.plan import EndpointPlan


def narrowed(plan: EndpointPlan, read: Iterable[str]) -> EndpointPlan:
    """The plan with the views and computed features that are read, or that what is read is made from.

    Args:
        plan: The endpoint as it is declared.
        read: Full names of features; others are ignored.

    Returns:
        The plan itself where all of it is read.
    """
    needed = set(read)
    requests: list[Computed] = []
    for group in reversed(plan.requests):  # each comes after what it reads
        if not needed.intersection(group.feature_names):
            continue
        kept: Computed = group
        if isinstance(group, DerivedView):
            wanted = [name in needed for name in group.feature_names]
            if not all(wanted):
                named = zip(group.expressions, wanted, strict=True)
                kept = dataclasses.replace(group, expressions=tuple(expr for expr, is_ in named if is_))
            needed.update(kept.reads)
        requests.append(kept)
    views = tuple(view for view in plan.views if needed.intersection(view.feature_names))
    if views == plan.views and tuple(reversed(requests)) == plan.requests:
        return plan
    return dataclasses.replace(plan, views=views, requests=tuple(reversed(requests)))


class NarrowLookup:
    """As :class:`Lookup` of the whole plan, whose vectors it gives, with null in place of what is not read.

    Args:
        whole: The endpoint's.
        plan: A plan that was narrowed from its own.
        online: Where the views' rows are.
    """

    def __init__(self, whole: Lookup, plan: EndpointPlan, online: OnlineStore) -> None:
        self._inner = Lookup(plan, online)
        self._pick = _placed(whole.names, self._inner.names)
        self._pick_age = _placed(whole.views, self._inner.views)
        self.needs_frames = self._inner.needs_frames
        """Whether rows cost less together than alone."""
        self.views = self._inner.views
        """Names of the views that are looked up."""
        self._inner.warm()

    def vectors(self, rows: Sequence[Row], ats: Sequence[Micros]) -> tuple[list[list[Any]], list[list[float]]]:
        """As :meth:`Lookup.vectors`."""
        return self._whole(*self._inner.vectors(rows, ats))

    def without_views(self, rows: Sequence[Row]) -> tuple[list[list[Any]], list[list[float]]]:
        """As :meth:`Lookup.without_views`."""
        return self._whole(*self._inner.without_views(rows))

    def _whole(self, vectors: list[list[Any]], ages: list[list[float]]) -> tuple[list[list[Any]], list[list[float]]]:
        for vector, age in zip(vectors, ages, strict=True):
            vector.append(None)
            age.append(nan)
        return [self._pick(vector) for vector in vectors], [self._pick_age(age) for age in ages]


def _placed(whole: Sequence[str], some: Sequence[str]) -> Any:  # noqa: ANN401 - a list in, a list out
    """What puts values of some names, and after them a blank, where they stand among all names."""
    places = [some.index(name) if name in some else len(some) for name in whole]
    if len(places) < 2:
        return lambda values: [values[at] for at in places]
    pick = itemgetter(*places)
    return lambda values: list(pick(values))
