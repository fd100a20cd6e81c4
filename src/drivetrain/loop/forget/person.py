"""Whom a request to be forgotten is about, and by which columns and texts they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import TypeAlias

import polars as pl

from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.data.privacy.key import read_key
from drivetrain.data.treatment import Pseudonym, is_pseudonym, pseudonym_of
from drivetrain.features.entity import Entity
from drivetrain.features.label import entity_text
from drivetrain.loop.definitions import Definitions

Key: TypeAlias = tuple[object, ...]
Ways = tuple[tuple[str, ...], ...]
"""The columns that name a subject in a table, in each way that they do."""

_TRUE = {"true": True, "false": False}


@dataclass(frozen=True)
class Person:
    """A subject.

    Attributes:
        entity: What they are.
        values: Their key, as tables have it; under a pseudonym where any does.
        places: Table of a source → columns that name them.
        given: The key as it was asked for: where tables hold a pseudonym of it, the text behind that.
        forms: Table of a source → the key as that table has it, which differs where pseudonyms are of different keys.
    """

    entity: Entity
    values: Key
    places: dict[str, Ways]
    given: tuple[str, ...] = ()
    forms: dict[str, Key] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The key as text, part by part."""
        return texts_of(self.values)

    @property
    def keys(self) -> tuple[Key, ...]:
        """The key in each form that some table has it in."""
        return tuple(dict.fromkeys([self.values, *self.forms.values()]))

    def mine(self, ways: Ways, table: str | None = None) -> pl.Expr:
        """Whether a row is theirs, of a source's table or else in any form; a null is nobody's."""
        each = [
            reduce(
                pl.Expr.and_, [pl.col(column).eq_missing(pl.lit(value)) for column, value in zip(way, key, strict=True)]
            )
            for way, key in product(ways, self._keys_in(table))
        ]
        return reduce(pl.Expr.or_, each) if each else pl.lit(value=False)

    def predicate(self, ways: Ways, table: str | None = None) -> str:
        """The same in SQL."""
        return " OR ".join(
            "("
            + " AND ".join(f"{quoted(column)} = {literal(value)}" for column, value in zip(way, key, strict=True))
            + ")"
            for way, key in product(ways, self._keys_in(table))
        )

    def _keys_in(self, table: str | None) -> tuple[Key, ...]:
        return (self.forms[table],) if table in self.forms else self.keys


def texts_of(key: Key) -> tuple[str, ...]:
    """A key as text, part by part."""
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in key)


def quoted(column: str) -> str:
    """A column's name in SQL."""
    doubled = column.replace('"', '""')
    return f'"{doubled}"'


def literal(value: object) -> str:
    """A value in SQL."""
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def find_person(project: Definitions, entity: str, key: str) -> Person:
    """The subject that an entity and a key name.

    Args:
        project: Whose entity it is.
        entity: Its name, or that of its one key column.
        key: The value of its key; the parts of one of several columns are parted by ``|``.

    Raises:
        UnknownName: No view describes such an entity.
        UsageError: The key does not fit its columns; or it is a pseudonym, and sources have different ones.
    """
    entities = {view.entity.name: view.entity for view in project.views.values()}
    found = entities.get(entity)
    if found is None:
        raise UnknownName(
            f"no feature view describes an entity {entity!r}",
            expected=f"one of {', '.join(sorted(entities))}" if entities else None,
            do="Name the entity whose key tells the subject from others",
        )
    parts = key.split("|") if len(found.keys) > 1 else [key]
    if len(parts) != len(found.keys) or not all(parts):
        raise UsageError(
            f"a {entity} is named by {', '.join(found.keys)}",
            found=f"{len([part for part in parts if part])} of {len(found.keys)} parts",
            expected="|".join(found.keys),
        )
    places = {name: tuple(dict.fromkeys(_ways(project, name, found))) for name in project.sources}
    kept = {name: ways for name, ways in places.items() if ways}
    kinds = _kinds(project, kept)
    told = [_as_kept(project, kept, at, part) for at, part in enumerate(parts)]
    first = [
        next((text for text in texts.values() if text != part), part) for texts, part in zip(told, parts, strict=True)
    ]
    forms = {
        source: _form([texts[source] for texts in told], [columns[name] for name in ways[0]], found.keys)
        for source, ways in kept.items()
        if set(ways[0]) <= set(columns := _columns(project, source))
    }
    return Person(found, _form(first, kinds, found.keys), kept, tuple(parts), forms)


def _form(texts: Sequence[str], kinds: Sequence[pl.DataType], columns: Sequence[str]) -> Key:
    return tuple(_typed(*part) for part in zip(texts, kinds, columns, strict=True))


def _as_kept(project: Definitions, places: dict[str, Ways], at: int, text: str) -> dict[str, str]:
    """A part of a key as each source's table has it: its pseudonym where that holds one; a pseudonym itself stays."""
    columns = {source: project.sources[source].contract.columns.get(ways[0][at]) for source, ways in places.items()}
    keys = {
        source: column.treat.key
        for source, column in columns.items()
        if column is not None and isinstance(column.treat, Pseudonym)
    }
    if is_pseudonym(text) and len(set(keys.values())) > 1:
        raise UsageError(
            "a pseudonym names a subject in one source alone, and other sources have different ones",
            found=f"{len(set(keys.values()))} keys of pseudonyms, in {', '.join(sorted(keys))}",
            do="Name the subject by the key behind its pseudonyms",
        )
    return {
        source: pseudonym_of(read_key(keys[source], project.folder), text)
        if source in keys and not is_pseudonym(text)
        else text
        for source in places
    }


def _ways(project: Definitions, source: str, entity: Entity) -> Iterator[tuple[str, ...]]:
    for view in project.views.values():
        if view.source.name == source and view.entity.name == entity.name:
            yield tuple(view.key_columns)
    if set(entity.keys) <= set(_columns(project, source)):
        yield entity.keys


def _columns(project: Definitions, source: str) -> dict[str, pl.DataType]:
    """Columns of a source's table; those its contract declares where it has none yet."""
    tables = project.store.tables
    if tables.version(source) is not None:
        return dict(tables.schema(source))
    return {name: column.dtype for name, column in project.sources[source].contract.columns.items()}


def _kinds(project: Definitions, places: dict[str, Ways]) -> list[pl.DataType]:
    for table, ways in places.items():
        columns = _columns(project, table)
        if all(column in columns for column in ways[0]):
            return [columns[column] for column in ways[0]]
    return [pl.String() for _ in next(iter(places.values()), ((),))[0]]


def _typed(text: str, kind: pl.DataType, column: str) -> object:
    if kind.is_integer():
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"the key {column} is a whole number", found="something else") from None
    if kind == pl.Boolean:
        if text.lower() not in _TRUE:
            raise UsageError(f"the key {column} is true or false", found="something else")
        return _TRUE[text.lower()]
    return text


def entities_of(project: Definitions, person: Person) -> frozenset[str]:
    """Texts that name the subject's rows, and no one else's, in predictions, feedback and training sets."""
    found: set[str] = set()
    for model in project.models.values():
        label = model.label
        ways = person.places.get(label.source.name, ())
        if not ways or project.store.tables.version(label.source.name) is None:
            continue
        key = [label.entity] if label.entity else list(label.source.key)
        named = project.store.tables.scan(label.source.name).select(
            text=entity_text(key), mine=person.mine(ways, label.source.name).fill_null(value=False)
        )
        whose = named.group_by("text").agg(pl.col("mine").all()).filter("mine").drop_nulls().collect()
        found.update(whose["text"].to_list())
    return frozenset(found)
