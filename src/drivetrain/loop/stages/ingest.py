"""Raw rows become a table version."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from drivetrain.core.clock import now
from drivetrain.core.errors import UnknownName
from drivetrain.core.progress import Progress
from drivetrain.core.records import TableVersion
from drivetrain.data.ingest import ingest
from drivetrain.data.judge import stale
from drivetrain.data.ledger import last_entry
from drivetrain.data.source import Source
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.plan import PlannedStep

MOST_FILES = 16
"""Files a table may be made of before they are put together: every read opens each of them."""


def ingest_node(project: Definitions, source: Source) -> Node:
    """Takes in what is new from a source."""

    def action(_inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        tables = project.store.tables
        if tables.version(source.name) is not None and tables.files(source.name) > MOST_FILES:
            tables.compact(source.name)
        version = ingest(
            project.store,
            source,
            folder=project.folder,
            now=now(),
            progress=progress,
            sources=project.sources,
        )
        return {"table": version.ref}

    return Node(
        name=f"ingest:{source.name}",
        group="data",
        words=f"take in {source.reader.words}",
        code=source.digest,
        parameters="",
        needs=tuple(f"ingest:{name}" for name in source.needs),
        outside=lambda: {
            source.reader.words: source.reader.fingerprint(project.folder),
            **_brought_back(project, source),
        },
        action=action,
    )


def _brought_back(project: Definitions, source: Source) -> dict[str, str]:
    """Rows that came back from quarantine are new, though the source has delivered nothing."""
    present = last_entry(project.store.tables, source.name)
    return {"rows brought back": str(present[0].readmissions)} if present and present[0].readmissions else {}


def with_age(project: Definitions, step: PlannedStep) -> PlannedStep:
    """A planned step; that of a source whose table is not as fresh as its contract says is told so."""
    source = project.sources.get(step.name.removeprefix("ingest:")) if step.group == "data" else None
    if source is None or source.contract.freshness is None:
        return step
    newest = next(iter(project.store.catalog.find(TableVersion, source.name, limit=1)), None)
    old = stale(source.contract, newest, now())
    return replace(step, why=f"{step.why}; not fresh: {old}") if old else step


def ingested(project: Definitions, source: str) -> TableVersion:
    """The newest version of a source's table, as the last ingestion left it.

    Raises:
        UnknownName: Nothing was ever taken in.
    """
    newest = next(iter(project.store.catalog.find(TableVersion, source, limit=1)), None)
    if newest is None:
        raise UnknownName(
            f"there is no table {source!r} yet: nothing was ever taken in", do="Run: drivetrain run --only data"
        )
    return newest
