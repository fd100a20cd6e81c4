"""Private figures of a project's tables: what each costs is spent before it is made, and never more than there is."""

from __future__ import annotations

from drivetrain.core import plugins
from drivetrain.core.clock import now
from drivetrain.core.errors import Conflict, RefusedError, UnknownName, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Access, PrivacyBudget
from drivetrain.core.settings import PrivacySettings
from drivetrain.data.privacy.aggregate import Aggregate, Ask, aggregate
from drivetrain.loop.definitions import Definitions

_EXACT = 1e-9
"""Sums of floats are as exact as this."""


def private_figure(project: Definitions, table: str, ask: Ask) -> Aggregate:
    """See :meth:`Privacy.aggregate`."""
    tables = project.store.tables
    version = tables.version(table)
    if version is None:
        known = sorted(name for name in tables.names() if name in project.sources)
        raise UnknownName(f"there is no table {table!r}", expected=f"one of {', '.join(known)}")
    if table not in project.sources:
        # Its rows tell of the same subjects, and a budget of its own would let that be told once more.
        raise RefusedError(
            f"table {table!r} has no privacy to spend of its own",
            found="what was made of sources, or of one that is not declared",
            expected=f"a declared source: {', '.join(project.sources)}",
            do="Ask for the figure of the source whose rows these are",
        )
    rows = tables.scan(table, version)
    there = rows.collect_schema()
    missing = [name for name in ask.reads if name not in there]
    if missing:
        raise UsageError(f"table {table!r} has no column {missing[0]!r}", expected=f"some of {', '.join(there)}")
    if ask.what in {"sum", "mean"} and not there[str(ask.column)].is_numeric():
        raise UsageError(f"a {ask.what} is of numbers", found=f"{ask.column} of {there[str(ask.column)]}")
    noise = plugins.load("noise", "opendp")
    asked = ask.reads or list(there)[:1]
    kept = rows.select(asked).collect()
    spend(project.store.catalog, project.settings.privacy, table, ask)
    return aggregate(kept, ask, noise)


def spend(catalog: Catalog, settings: PrivacySettings, table: str, ask: Ask) -> PrivacyBudget:
    """Takes what a figure costs out of a table's budget, with an entry in the audit.

    Costs add up (sequential composition). Of two processes at once, the one that comes second reads again.

    Raises:
        RefusedError: There is not so much left.
    """
    while True:
        ref = f"{PrivacyBudget.kind}:{table}"
        revision = catalog.record_revision(ref)
        spent = catalog.get(PrivacyBudget, table) or PrivacyBudget(at=now(), table=table)
        fresh = PrivacyBudget(
            at=now(),
            table=table,
            epsilon=spent.epsilon + ask.epsilon,
            delta=spent.delta + ask.delta,
            figures=spent.figures + 1,
        )
        for name, cost, all_of_it in (
            ("epsilon", fresh.epsilon, settings.epsilon),
            ("delta", fresh.delta, settings.delta),
        ):
            if cost > all_of_it * (1 + _EXACT):
                raise RefusedError(
                    f"the privacy of table {table!r} is spent: {spent.figures:,} figures were given out of it",
                    found=f"{name} {getattr(spent, name):g} spent, {getattr(ask, name):g} asked for",
                    expected=f"{all_of_it:g} in all",
                    do=f"Ask for less, or decide that more may be told: [privacy] {name} in drivetrain.toml",
                )
        told = Access(
            at=now(),
            id=new_id(),
            what=f"{ask.what}, epsilon {ask.epsilon:g}, delta {ask.delta:g}",
            about=table,
            columns=tuple(ask.reads),
        )
        try:
            catalog.commit(fresh, told, expect={ref: revision})
        except Conflict:
            continue
        return fresh
