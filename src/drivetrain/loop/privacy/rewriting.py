"""What has to follow where rows were taken out of a source's table: old versions go, and what stood on them says so."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.records import ColumnType, Step
from drivetrain.data import ledger
from drivetrain.features.online.materialise import materialise
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.stages.materialise import GRACE


def rewrite(project: Definitions, sources: Collection[str], now: Micros, because: str) -> None:
    """Brings online rows up to tables that lost rows, purges the tables, and marks steps whose outputs are gone.

    Args:
        project: Whose.
        sources: Tables that lost rows.
        now: The moment.
        because: Why, for the steps.
    """
    # Before the old version goes, which tells whose rows have to be made anew; and after, to stand on the new one.
    _materialise(project, sources, now)
    for source in sources:
        _close(project, source, now)
    _materialise(project, sources, now)
    mark_steps(project, because)


def mark_steps(project: Definitions, because: str) -> None:
    """Marks steps that put out a version of a table which can't be read any more: the next run does them again."""
    catalog, tables = project.store.catalog, project.store.tables
    stale = []
    for step in catalog.find(Step):
        made = [ref.removeprefix("table:").rpartition("@") for ref in step.outputs.values() if ref[:6] == "table:"]
        if step.status == "done" and not all(tables.has(name, int(version)) for name, _, version in made):
            stale.append(replace(step, status="failed", error=because))
    if stale:
        catalog.commit(*stale)


def _materialise(project: Definitions, sources: Collection[str], now: Micros) -> None:
    store = project.store
    for view in project.views.values():
        if view.source.name in sources and store.online.mark(view.space) is not None:
            version = store.tables.version(view.source.name)
            assert version is not None, "it was changed, so it is there"
            materialise(store, view, version, now=now, grace=GRACE)


def _close(project: Definitions, source: str, now: Micros) -> None:
    """Purges a source's table; its next version says what is in it, and the catalog knows it."""
    store = project.store
    present = ledger.last_entry(store.tables, source)
    assert present is not None, "the table is there"
    entry = ledger.erased(present[0], store.tables.rows(source), now)
    version = store.tables.purge(source, note=entry.note)
    columns = tuple(ColumnType(name, str(kind)) for name, kind in store.tables.schema(source).items())
    ledger.keep(store.catalog, ledger.table_version(source, version, entry, columns), {})
