"""The run log: metrics with their histories, parameters and tags, beside the catalog's records."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from drivetrain.core.errors import Conflict
from drivetrain.core.records import Metric
from drivetrain.store.database import Database
from drivetrain.store.schema import latest_metrics as _latest
from drivetrain.store.schema import metrics as _metrics
from drivetrain.store.schema import run_facts as _facts

PARAMETER, TAG = "parameter", "tag"
_ASKED_AT_ONCE = 500
"""Runs in one question; SQLite takes some 32,000 variables."""
_POINT = ("key", "value", "step", "at", "about", "nan")

_FACTS_OF = select(_facts.c.key, _facts.c.value).where(
    _facts.c.run == bindparam("run_"), _facts.c.sort == PARAMETER, _facts.c.key.in_(bindparam("keys_", expanding=True))
)
_UNTAG = delete(_facts).where(
    _facts.c.run == bindparam("run_"), _facts.c.sort == TAG, _facts.c.key == bindparam("key_")
)


class SqlRunLog:
    """A :class:`~drivetrain.core.protocols.RunLog` in the catalog's database.

    A point is one row of a table that is only added to, so writers never meet; the newest point of each metric is kept
    beside it by an upsert that only a newer one passes, in whatever order the two come.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        """Threads of one process take turns here: SQLite's own lock is waited for by sleeping."""
        dialect = postgresql if database.dialect == "postgresql" else sqlite
        self._add_points = dialect.insert(_metrics).on_conflict_do_nothing()
        newest = dialect.insert(_latest)
        self._keep_newest = newest.on_conflict_do_update(
            index_elements=["run", "key"],
            set_={name: newest.excluded[name] for name in ("step", "at", "value", "nan", "about")},
            where=_is_newer(newest.excluded),
        )
        said = dialect.insert(_facts)
        self._keep_tags = said.on_conflict_do_update(
            index_elements=["run", "sort", "key"], set_={"value": said.excluded.value}
        )
        self._keep_parameters = said.on_conflict_do_nothing()

    def log(
        self,
        run: str,
        metrics: Sequence[Metric] = (),
        *,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps all of it, or nothing; see :meth:`drivetrain.core.protocols.RunLog.log`."""
        if not metrics and not parameters and not tags:
            return
        points = [_row(run, metric) for metric in metrics]
        newest = [_row(run, metric) for metric in newest_of(metrics).values()]
        with self._turn, self._database.writing() as connection:
            if parameters:
                self._keep(connection, run, parameters)
            if tags:
                connection.execute(self._keep_tags, _fact_rows(run, TAG, tags))
            if points:
                connection.execute(self._add_points, points)
                connection.execute(self._keep_newest, newest)

    def untag(self, run: str, key: str) -> bool:
        """Takes a tag away; whether there was one."""
        with self._turn, self._database.writing() as connection:
            return bool(connection.execute(_UNTAG, {"run_": run, "key_": key}).rowcount)

    def latest(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, Metric]]:
        """Run → metric → its newest point."""
        found: dict[str, dict[str, Metric]] = {run: {} for run in runs}
        query = select(_latest.c.run, *(_latest.c[name] for name in _POINT))
        for row in self._rows(query, _latest, runs, keys):
            found[row[0]][row[1]] = _point(*row[1:])
        return found

    def history(
        self, run: str, key: str, *, since: int | None = None, until: int | None = None, limit: int | None = None,
        skip: int = 0,
    ) -> list[Metric]:  # fmt: skip
        """A metric's points by step, then time."""
        query = select(*(_metrics.c[name] for name in _POINT)).where(_metrics.c.run == run, _metrics.c.key == key)
        if since is not None:
            query = query.where(_metrics.c.step >= since)
        if until is not None:
            query = query.where(_metrics.c.step <= until)
        query = query.order_by(_metrics.c.step, _metrics.c.at, _metrics.c.nan.desc(), _metrics.c.value)
        with self._database.reading() as connection:
            return [_point(*row) for row in connection.execute(query.limit(limit).offset(skip))]

    def parameters(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        return self._said(PARAMETER, runs, keys)

    def tags(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        return self._said(TAG, runs, keys)

    def _keep(self, connection: Connection, run: str, parameters: Mapping[str, str]) -> None:
        connection.execute(self._keep_parameters, _fact_rows(run, PARAMETER, parameters))
        names = list(parameters)
        for first in range(0, len(names), _ASKED_AT_ONCE):
            some = {"run_": run, "keys_": names[first : first + _ASKED_AT_ONCE]}
            for key, value in connection.execute(_FACTS_OF, some):
                if value != parameters[key]:
                    raise changed(run, key, value, parameters[key])

    def _said(self, sort: str, runs: Sequence[str], keys: Sequence[str] | None) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {run: {} for run in runs}
        query = select(_facts.c.run, _facts.c.key, _facts.c.value).where(_facts.c.sort == sort)
        for run, key, value in self._rows(query, _facts, runs, keys):
            found[run][key] = value
        return found

    def _rows(
        self, query: Select[Any], table: Table, runs: Sequence[str], keys: Sequence[str] | None
    ) -> Iterable[Sequence[Any]]:
        if keys is not None:
            query = query.where(table.c.key.in_(list(keys)))
        with self._database.reading() as connection:
            for first in range(0, len(runs), _ASKED_AT_ONCE):
                some = query.where(table.c.run.in_(list(runs[first : first + _ASKED_AT_ONCE])))
                yield from connection.execute(some)


def newest_of(metrics: Iterable[Metric]) -> dict[str, Metric]:
    """Metric → the newest of its points, by the order of :func:`newness`."""
    newest: dict[str, Metric] = {}
    for metric in metrics:
        held = newest.get(metric.key)
        if held is None or newness(metric) >= newness(held):
            newest[metric.key] = metric
    return newest


def newness(metric: Metric) -> tuple[int, int, bool, float]:
    """What points of one metric are ordered by; NaN comes before all other values of its moment."""
    number = not math.isnan(metric.value)
    return metric.step, metric.at, number, metric.value if number else 0.0


def changed(run: str, key: str, before: str, after: str) -> Conflict:
    """The error of a parameter that was logged with another value."""
    return Conflict(
        f"parameter {key!r} of run {run} has a value already, and parameters never change",
        found=repr(after),
        expected=repr(before),
        do="Log it under another name, or in another run; a tag may change",
    )


def _is_newer(new: Any) -> ColumnElement[bool]:  # noqa: ANN401 - the columns of what is inserted
    number = ~new.nan
    held = _latest.c
    return or_(
        tuple_(new.step, new.at) > tuple_(held.step, held.at),
        and_(new.step == held.step, new.at == held.at, or_(held.nan, and_(number, new.value >= held.value))),
    )


def _row(run: str, metric: Metric) -> dict[str, Any]:
    nan = math.isnan(metric.value)
    return {
        "run": run,
        "key": metric.key,
        "step": metric.step,
        "at": metric.at,
        "value": 0.0 if nan else metric.value,
        "nan": nan,
        "about": metric.about,
    }


def _point(key: str, value: float, step: int, at: int, about: str, nan: object) -> Metric:
    return Metric(key=key, value=math.nan if nan else value, step=step, at=at, about=about)


def _fact_rows(run: str, sort: str, said: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"run": run, "sort": sort, "key": key, "value": value} for key, value in said.items()]
