"""The features of a project: what each is, whose, how fresh, and what its values look like."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import SECOND, Micros, iso, show_duration
from drivetrain.core.errors import UnknownName
from drivetrain.core.records import ModelVersion, Step, TableVersion
from drivetrain.data.column import PRIVATE, Privacy
from drivetrain.features.derived import DerivedView, read_by
from drivetrain.features.events import keys_of
from drivetrain.features.inherit import (
    FeatureInfo,
    derived_features,
    key_privacy,
    privacy_of,
    request_features,
    strictest,
    view_features,
)
from drivetrain.features.online.mark import decode_mark
from drivetrain.features.point_in_time import features_at
from drivetrain.features.request import RequestFeatures
from drivetrain.features.sketch import sketch_of
from drivetrain.features.view import SEQUENCE, FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Group, Model
from drivetrain.loop.refs import table_version

MOST_ROWS = 50_000
"""Rows of a training set that a sketch is made of, evenly spread; greater sets are looked at in part."""
MOST_ENTITIES = 500
"""Entities that a sketch is made of where no training set has the feature."""


class Online(msgspec.Struct, frozen=True, kw_only=True):
    """How far a view's online rows are filled.

    Attributes:
        entities: How many entities they are of.
        newest: When the newest of the table's rows in them became known; none where rows hold always.
        materialised: When they were last brought up to date.
        table: The table version they hold, ``table@version``.
        behind: How many rows the table has been given since.
    """

    entities: int
    newest: str | None
    materialised: str
    table: str
    behind: int


class GroupInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A feature view, a function of the request, or a derived view, with its features.

    Attributes:
        name: Its name in the project.
        entity: What the features describe; ``the request itself`` for a function of the request, ``other features`` for
            a derived view.
        keys: What names the entity; the fields that a function of the request reads; what a derived view is made from.
        key_privacy: The strictest privacy class of those.
        source: The table the features are made from; none where they are computed.
        owner: Whom to ask; a view inherits its source's owner.
        description: What its author says of it.
        ttl: How old a looked-up value may be; none for any age.
        used_by: The models that read it.
        online: How far its online rows are filled; none for never, and where there are none.
        values_from: What the values at a glance were taken from; none where there are none yet.
        features: The features, in order.
    """

    name: str
    entity: str
    keys: tuple[str, ...]
    key_privacy: Privacy
    source: str | None
    owner: str
    description: str
    ttl: str | None
    used_by: tuple[str, ...]
    online: Online | None
    values_from: str | None
    features: tuple[FeatureInfo, ...]


def features(project: Definitions, name: str | None = None) -> list[GroupInfo]:
    """Every feature view, every function of the request and every derived view, or the one of that name.

    Raises:
        UnknownName: Nothing of that name is declared.
    """
    groups: dict[str, Group] = {**project.views, **project.requests, **project.derived}
    if name is not None and name not in groups:
        raise UnknownName(
            "no such feature view", found=repr(name), expected=f"one of {', '.join(groups) or 'none declared'}"
        )
    chosen = [group for group in groups.values() if name in {None, group.name}]
    return [_group(project, group) for group in chosen]


def _group(project: Definitions, group: Group) -> GroupInfo:
    if isinstance(group, FeatureView):
        return _view(project, group)
    return _derived(project, group) if isinstance(group, DerivedView) else _request(project, group)


def _view(project: Definitions, view: FeatureView) -> GroupInfo:
    source = project.sources[view.source.name]
    models = _users(project, view)
    origin, values = _training_values(project, view, models) or _present_values(project, view) or (None, None)
    return GroupInfo(
        name=view.name,
        entity=view.entity.name,
        keys=view.entity.keys,
        key_privacy=key_privacy(view, source),
        source=source.name,
        owner=view.owner or source.owner,
        description=view.description,
        ttl=None if view.ttl is None else show_duration(view.ttl),
        used_by=tuple(model.name for model in models),
        online=_online(project, view),
        values_from=origin,
        features=_sketched(view_features(view, source), values),
    )


def _request(project: Definitions, request: RequestFeatures) -> GroupInfo:
    models = _users(project, request)
    sources = [project.sources[model.label.source.name] for model in models]
    origin, values = _training_values(project, request, models) or (None, None)
    return GroupInfo(
        name=request.name,
        entity="the request itself",
        keys=tuple(request.inputs),
        key_privacy=strictest(privacy_of(request.inputs, source.contract.columns) for source in sources),
        source=None,
        owner=request.owner,
        description=request.description or (request.function.__doc__ or "").strip().partition("\n")[0],
        ttl=None,
        used_by=tuple(model.name for model in models),
        online=None,
        values_from=origin,
        features=_sketched(request_features(request, sources), values),
    )


def _derived(project: Definitions, view: DerivedView) -> GroupInfo:
    models = _users(project, view)
    sources = [project.sources[model.label.source.name] for model in models]
    origin, values = _training_values(project, view, models) or (None, None)
    return GroupInfo(
        name=view.name,
        entity="other features",
        keys=tuple(group.name for group in view.parents) + tuple(name for name in view.inputs if name in view.reads),
        key_privacy=strictest(privacy_of(view.inputs, source.contract.columns) for source in sources),
        source=None,
        owner=view.owner,
        description=view.description,
        ttl=None,
        used_by=tuple(model.name for model in models),
        online=None,
        values_from=origin,
        features=_sketched(derived_features(view, project.sources, sources), values),
    )


def _users(project: Definitions, group: Group) -> list[Model]:
    """The models that read a group, directly or through derived views."""
    return [model for model in project.models.values() if group in read_by(model.features)]


def _sketched(infos: tuple[FeatureInfo, ...], values: pl.DataFrame | None) -> tuple[FeatureInfo, ...]:
    if values is None:
        return infos
    return tuple(
        msgspec.structs.replace(info, values=sketch_of(values[info.name], masked=info.privacy in PRIVATE))
        for info in infos
    )


def _online(project: Definitions, view: FeatureView) -> Online | None:
    packed = project.store.online.mark(view.space)
    if packed is None:
        return None
    mark = decode_mark(packed)
    rows = project.store.tables.scan(view.source.name)
    return Online(
        entities=_entities(project, view, mark.version).select(pl.len()).collect().item(),
        newest=iso(mark.newest) if mark.newest > 0 else None,
        materialised=iso(mark.at // SECOND * SECOND),
        table=f"{view.source.name}@{mark.version}",
        behind=rows.filter(pl.col(SEQUENCE) > mark.sequence).select(pl.len()).collect().item(),
    )


def _entities(project: Definitions, view: FeatureView, version: int) -> pl.LazyFrame:
    """The entities that a version of a view's table has rows of."""
    rows = project.store.tables.scan(view.source.name, version).filter(view.event_time().is_not_null())
    return rows.select(list(dict.fromkeys(view.key_columns))).drop_nulls().unique()


def _training_values(project: Definitions, group: Group, models: list[Model]) -> tuple[str, pl.DataFrame] | None:
    """Values in the newest training set that has this very definition."""
    catalog = project.store.catalog
    refs = [
        step.outputs["table"]
        for model in models
        if group in model.features
        for step in catalog.find(Step, f"training_set:{model.name}")
        if step.status == "done" and step.code == model.data_digest()
    ]
    refs += [
        version.training_set
        for model in project.models.values()
        for version in catalog.find(ModelVersion, model.name)
        if version.features.get(group.name) == group.digest
    ]
    made = [table_version(project, ref) for ref in set(refs) if ref.startswith("table:")]
    kept = [table for table in made if project.store.tables.has(table.table, table.version)]
    if not kept:
        return None
    newest = max(kept, key=lambda table: (table.at, table.version))
    rows = project.store.tables.scan(newest.table, newest.version).select(group.feature_names)
    step = -(-newest.rows // MOST_ROWS)
    values = (rows.gather_every(step) if step > 1 else rows).collect()
    part = "" if step <= 1 else f"{values.height:,} of "
    return f"{part}the {newest.rows:,} rows of training set {newest.key}", values


def _present_values(project: Definitions, view: FeatureView) -> tuple[str, pl.DataFrame] | None:
    """Values of some entities at the moment their table's newest row became known."""
    table = next(iter(project.store.catalog.find(TableVersion, view.source.name, limit=1)), None)
    if table is None or not table.rows:
        return None
    entities = _entities(project, view, table.version).collect().sort(pl.all())
    some = entities if entities.height <= MOST_ENTITIES else entities.sample(MOST_ENTITIES, seed=0)
    rows = project.store.tables.scan(table.table, table.version)
    mine = rows.join(some.lazy(), on=some.columns, how="semi", maintain_order="left")
    moment: Micros = table.last_available or 0
    keys = keys_of(some, view.key_columns, view.entity.keys, f"the table of view {view.name!r}")
    values = features_at(view, mine, keys, np.full(some.height, moment))
    part = "" if some.height == entities.height else f" of {entities.height:,}"
    return f"{some.height:,}{part} entities as of {iso(moment)}: no training set has them yet", values
