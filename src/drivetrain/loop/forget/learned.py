"""Which model versions learned from a subject: found before anything is erased."""

from __future__ import annotations

import msgspec
import polars as pl

from drivetrain.core.errors import StoreError
from drivetrain.core.records import Alias, ModelVersion, TableVersion
from drivetrain.features.label import ENTITY
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.forget.person import Person
from drivetrain.loop.refs import table_version
from drivetrain.loop.stages.training_set import training_table


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A model version that learned from a subject.

    Attributes:
        model: Its model.
        version: Its number.
        rows: Rows of the subject in its training set; none where it learned of the subject through features of others,
            or where that can't be told any more.
        serves: The names that point at it, such as ``champion``.
    """

    model: str
    version: int
    rows: int | None
    serves: tuple[str, ...] = ()

    @property
    def ref(self) -> str:
        """Its ref."""
        return f"version:{self.model}@{self.version}"


def learned_from(project: Definitions, person: Person, entities: frozenset[str]) -> list[Learned]:
    """Versions whose training set has rows of the subject, or was made of tables that had.

    A training set may have none of its rows and still hold what it did: a shop's average counts every customer. Where
    a table's version was erased since, it counts as one that had.
    """
    found = []
    for model in project.models.values():
        serves: dict[int, list[str]] = {}
        for alias in project.store.catalog.find(Alias, model.name):
            if alias.version is not None:
                serves.setdefault(alias.version, []).append(alias.alias)
        for version in project.store.catalog.find(ModelVersion, model.name):
            rows = _rows_in(project, person, entities, version)
            if rows != 0:
                names = tuple(sorted(serves.get(version.version, ())))
                found.append(Learned(model=model.name, version=version.version, rows=rows, serves=names))
    return sorted(found, key=lambda one: (one.model, one.version))


def _rows_in(project: Definitions, person: Person, entities: frozenset[str], version: ModelVersion) -> int | None:
    """Rows of the subject in a version's training set; none where it knew some only through features."""
    if not version.training_set.startswith("table:"):
        return None  # it came from another project, and so did its rows
    made = table_version(project, version.training_set)
    own = _count(project, made, training_rows(made, person, entities))
    if own:
        return own
    inputs = [link.source for link in project.store.catalog.links(target=made.ref)]
    tables = [table_version(project, ref) for ref in inputs if ref.startswith("table:")]
    counts = [
        _count(project, table, person.mine(person.places[table.table], table.table))
        for table in tables
        if table.table in person.places
    ]
    return None if any(count != 0 for count in counts) else 0


def training_rows(made: TableVersion, person: Person, entities: frozenset[str]) -> pl.Expr:
    """Whether a row of a training set is the subject's."""
    mine = pl.col(ENTITY).is_in(list(entities))
    columns = {column.name for column in made.columns}
    return mine | person.mine((person.entity.keys,)) if set(person.entity.keys) <= columns else mine


def _count(project: Definitions, table: TableVersion, mine: pl.Expr) -> int | None:
    if not project.store.tables.has(table.table, table.version):
        return None
    try:
        rows = project.store.tables.scan(table.table, table.version)
        return int(rows.filter(mine).select(pl.len()).collect().item())
    except (StoreError, pl.exceptions.PolarsError):
        return None


def training_tables(project: Definitions) -> list[str]:
    """Tables that hold the training sets of declared models, and are there."""
    names = [training_table(model) for model in project.models]
    return [name for name in names if project.store.tables.version(name) is not None]
