"""What personal data a project has: where, why, how long, and who read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from drivetrain.core.clock import iso, show_duration
from drivetrain.core.records import Access, AuditEntry, Forgetting
from drivetrain.data.column import PRIVATE, Column, Privacy
from drivetrain.data.quarantine import table_name as quarantine_of
from drivetrain.data.source import Source
from drivetrain.features.inherit import key_privacy, view_features
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.stages.training_set import training_table
from drivetrain.serve.log.erase import log_tables


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere that a column's values are kept.

    Attributes:
        where: Table, online rows or log.
        rows: How many rows are there.
        kept: How long, such as ``90d``; ``for ever`` where nothing ends it.
    """

    where: str
    rows: int
    kept: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One column of personal data.

    Attributes:
        source: Its source.
        column: Its name.
        privacy: Its class.
        treated: What is done to it before it is kept; none where it is kept as it comes.
        purpose: Why it is kept: the source's purpose, or else what the column is said to be; empty where nobody says.
        places: Where it is kept.
        features: Features that are made of it.
        reads: How often it was read through drivetrain.
        readers: By whom, latest first: users of the operating system.
        last_read: When, ISO 8601; none where it never was.
    """

    source: str
    column: str
    privacy: Privacy
    treated: str | None
    purpose: str
    places: tuple[Place, ...]
    features: tuple[str, ...]
    reads: int
    last_read: str | None
    readers: tuple[str, ...] = ()


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One request to be forgotten.

    Attributes:
        entity: What the subject was.
        digest: By which who knows the key can tell; nobody else can.
        at: When it was asked, ISO 8601.
        state: ``open`` until everything is done and proven.
        erased: How many rows and entries went.
        because: Why.
    """

    entity: str
    digest: str
    at: str
    state: Literal["open", "done"]
    erased: int
    because: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What personal data there is.

    Attributes:
        columns: Each column that a contract classes personal, sensitive or secret.
        without_purpose: Those for which nobody says why they are kept.
        without_end: Those which nothing says how long to keep.
        forgotten: How many subjects were forgotten.
        open: How many requests to be forgotten are not done.
        subjects: Each request to be forgotten, newest first.
    """

    columns: tuple[Held, ...]
    without_purpose: tuple[str, ...]
    forgotten: int
    open: int
    without_end: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()


def report(project: Definitions) -> Report:
    """See :meth:`Privacy.report`."""
    reads = project.store.catalog.find(Access)
    users = {entry.of: entry.user for entry in project.store.catalog.find(AuditEntry)} if reads else {}
    columns = tuple(
        _held(project, source, name, column, _reads(project, source.name, name, reads), users)
        for source in project.sources.values()
        for name, column in source.contract.columns.items()
        if column.privacy in PRIVATE
    )
    past = project.store.catalog.find(Forgetting)
    return Report(
        columns=columns,
        without_purpose=tuple(f"{one.source}.{one.column}" for one in columns if not one.purpose),
        without_end=tuple(
            f"{one.source}.{one.column}" for one in columns if project.sources[one.source].retain is None
        ),
        subjects=tuple(_subject(one) for one in past),
        forgotten=len({one.digest for one in past if one.state == "done"}),
        open=sum(one.state == "open" for one in past),
    )


def _subject(one: Forgetting) -> Subject:
    return Subject(
        entity=one.entity,
        digest=one.digest,
        at=iso(one.at),
        state=one.state,
        erased=sum(one.erased.values()),
        because=one.because,
    )


def _reads(project: Definitions, source: str, column: str, reads: list[Access]) -> list[Access]:
    return [one for one in reads if column in one.columns and _is_of(one, source, project)]


def _held(
    project: Definitions, source: Source, name: str, column: Column, reads: list[Access], users: Mapping[str, str]
) -> Held:
    kept = show_duration(source.retain) if source.retain else "for ever"
    places = [] if _is_dropped(column) else [_table(project, source.name, kept)]
    places.append(_table(project, quarantine_of(source.name), kept))
    features: list[str] = []
    for view in project.views.values():
        if view.source.name != source.name:
            continue
        made = [info.name for info in view_features(view, source) if name in info.reads]
        features += made
        if made or (name in view.key_columns and key_privacy(view, source) in PRIVATE):
            entities = project.store.online.spaces().get(view.space, 0)
            places.append(Place(where=f"online rows of {view.name}", rows=entities, kept="as its table's rows"))
    places += [
        _table(project, training_table(model.name), "for ever")
        for model in project.models.values()
        if model.label.source.name == source.name and name in {*model.request_columns, *source.key, *model.beside}
    ]
    days = project.settings.serve.log_days
    places += [
        _table(project, log_tables(endpoint.name)[0], f"{days}d" if days else "for ever")
        for endpoint in project.endpoints.values()
        if endpoint.model.label.source.name == source.name and name in endpoint.model.request_columns
    ]
    return Held(
        source=source.name,
        column=name,
        privacy=column.privacy,
        treated=str(column.treat.meaning[0]) if column.treat else None,
        purpose=source.purpose or column.description,
        places=tuple(place for place in places if place.rows),
        features=tuple(features),
        reads=len(reads),
        last_read=iso(reads[0].at) if reads else None,
        readers=tuple(dict.fromkeys(users[one.ref] for one in reads if one.ref in users)),
    )


def _is_dropped(column: Column) -> bool:
    return column.treat is not None and column.treat.meaning[0] == "drop"


def _is_of(read: Access, source: str, project: Definitions) -> bool:
    """Whether what was read is of a source: its table, a training set of its rows, an endpoint about them."""
    if read.about == source:
        return True
    models = [model for model in project.models.values() if model.label.source.name == source]
    endpoints = {endpoint.name for endpoint in project.endpoints.values() if endpoint.model in models}
    return read.about in {training_table(model.name) for model in models} | endpoints


def _table(project: Definitions, table: str, kept: str) -> Place:
    tables = project.store.tables
    return Place(where=table, rows=0 if tables.version(table) is None else tables.rows(table), kept=kept)
