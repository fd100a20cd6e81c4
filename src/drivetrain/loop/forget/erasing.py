"""What a subject has in one place after another, erased there; each is safe to do again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.data.forgotten import text_of
from drivetrain.data.privacy.vault import KeyRing, Vault
from drivetrain.data.profile import TableProfile
from drivetrain.data.quarantine import table_name as quarantine_of
from drivetrain.features.label import ENTITY
from drivetrain.features.online.layout import key_of
from drivetrain.features.online.materialise import erase_in
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.forget.learned import training_tables
from drivetrain.loop.forget.person import Person, literal, quoted, texts_of
from drivetrain.loop.forget.proof import Names, search
from drivetrain.loop.privacy.rewriting import mark_steps, rewrite
from drivetrain.loop.sketching import forget_sketched
from drivetrain.serve.log.compact import endpoints
from drivetrain.serve.log.erase import Subject, erase, log_tables

GONE = "what it made was erased: a subject was forgotten"
_STATISTICS = (TableProfile,)


@dataclass(frozen=True)
class Erasing:
    """One subject, and what is known of them before anything is erased.

    Attributes:
        project: Where they are.
        person: Who they are.
        entities: Texts that name their rows, and no one else's.
        names: What to search for.
        now: The moment.
        dry: Only count.
        erased: Place → what was erased there; filled as it goes.
    """

    project: Definitions
    person: Person
    entities: frozenset[str]
    names: Names
    now: Micros
    dry: bool = False
    erased: dict[str, int] = field(default_factory=dict)

    def logs(self) -> None:
        """Predictions, feedback and explanations, in tables and in segments."""
        project, store = self.project, self.project.store
        logged = {name.split("/")[1] for name in store.tables.names() if name.startswith("log/")}
        keys = self.person.entity.keys
        subjects = [Subject(dict(zip(keys, texts_of(form), strict=True)), self.entities) for form in self.person.keys]
        for endpoint in sorted({*logged, *endpoints(project.log_folder), *project.endpoints}):
            stale = [] if self.dry else [table for table in log_tables(endpoint) if self._is_held(table)]
            for place, subject in enumerate(subjects):
                # Rows that an entity names are found with the first form.
                whose = replace(subject, entities=frozenset()) if place else subject
                done = erase(store, project.log_folder, endpoint, whose, dry=self.dry, purge=() if place else stale)
                if done.predictions and not self.dry:
                    forget_sketched(project, endpoint)
                self._count(f"log of {endpoint}: predictions", done.predictions)
                self._count(f"log of {endpoint}: feedback", done.feedback)
                self._count(f"log of {endpoint}: explanations", done.explanations)
                self._count(f"log of {endpoint}: entries in segments", done.frames)

    def training_sets(self) -> None:
        """Rows of training sets."""
        for table in training_tables(self.project):
            columns = set(self.project.store.tables.schema(table))
            keyed = set(self.person.entity.keys) <= columns
            mine, sql = pl.col(ENTITY).is_in(list(self.entities)), []
            if self.entities:
                sql.append(f"{quoted(ENTITY)} IN ({', '.join(map(literal, sorted(self.entities)))})")
            if keyed:
                mine |= self.person.mine((self.person.entity.keys,))
                sql.append(self.person.predicate((self.person.entity.keys,)))
            self._delete(table, mine.fill_null(value=False), " OR ".join(sql))

    def quarantine(self) -> None:
        """Rows that a contract refused."""
        tables = self.project.store.tables
        for source, ways in self.person.places.items():
            table = quarantine_of(source)
            if tables.version(table) is None:
                continue
            rows = tables.scan(table).select("_row").unique().collect()["_row"].to_list()
            theirs = [row for row in rows if row is not None and self._is_refused(row, ways)]
            listed = ", ".join(map(literal, theirs))
            self._delete(table, pl.col("_row").is_in(theirs), f"{quoted('_row')} IN ({listed})" if theirs else "")

    def tables(self) -> list[str]:
        """Rows of sources' tables; those that were changed."""
        store, changed = self.project.store, []
        for source, ways in self.person.places.items():
            if store.tables.version(source) is None or not all(
                set(way) <= set(store.tables.schema(source)) for way in ways
            ):
                continue
            if self._delete(source, self.person.mine(ways, source), self.person.predicate(ways, source), purge=False):
                changed.append(source)
        return changed

    def online(self, changed: Sequence[str]) -> None:
        """Online rows, also those of others that the subject's events are part of; then old versions of tables."""
        project, store = self.project, self.project.store
        made = [key_of(form, self.person.entity.keys) for form in self.person.keys]
        keys = [key for key in made if key is not None]
        others = {view.space for view in project.views.values() if view.entity.name != self.person.entity.name}
        spaces = sorted(set(store.online.spaces()) - others) if keys else []
        theirs = [space for space in spaces for row in store.online.read(space, keys) if row is not None]
        for space in theirs:
            self._count(f"online rows of {space.partition('@')[0]}", 1)
        if self.dry:
            return
        rewrite(project, changed, self.now, GONE)
        for space in spaces:
            for key, row in zip(keys, store.online.read(space, keys), strict=True):
                if row is not None:
                    erase_in(store, space, key)
        store.online.scrub()

    def records(self, changed: Sequence[str]) -> None:
        """Statistics of tables, which quote values; and what steps made that can't be read any more."""
        catalog = self.project.store.catalog
        known = [record for kind in _STATISTICS for record in catalog.find(kind)]
        told = [record.ref for record in known if self.names.within(repr(record).encode()) or record.subject in changed]
        self._count("statistics of tables", len(told))
        if self.dry:
            return
        mark_steps(self.project, GONE)
        catalog.erase(*told)

    def keys(self) -> None:
        """Keys that the subject's sealed values are read with: without them no copy of a table can be read."""
        ring = KeyRing(self.project.store.catalog, self.project.folder)
        for source, ways in self.person.places.items():
            named = {column: text for way in ways for column, text in zip(way, self.person.given, strict=True)}
            for column in self.project.sources[source].contract.columns.values():
                if not isinstance(column.treat, Vault) or column.treat.subject not in named:
                    continue
                place, text = column.treat.key, named[column.treat.subject]
                if ring.known(place, text) is not None:
                    self._count("keys of sealed values", 1)
                    if not self.dry:
                        ring.destroy(place, text)

    def _delete(self, table: str, mine: pl.Expr, predicate: str, *, purge: bool = True) -> bool:
        """Deletes rows, unless dry; whether old files have to go."""
        tables = self.project.store.tables
        count = int(tables.scan(table).filter(mine).select(pl.len()).collect().item()) if predicate else 0
        self._count(table, count)
        if self.dry:
            return bool(count)
        if count:
            tables.delete(table, predicate)
        held = bool(count) or self._is_held(table)
        if held and purge:
            tables.purge(table)
        return held

    def _is_held(self, table: str) -> bool:
        """Whether some file of a table still has the subject's name in it, or a row of theirs."""
        tables = self.project.store.tables
        return tables.version(table) is not None and bool(search([tables.folder(table)], self.names, self.is_theirs))

    def is_theirs(self, frame: pl.DataFrame) -> bool:
        """Whether a frame has a row of the subject, by the columns that name them somewhere."""
        ways = {way for ways in self.person.places.values() for way in ways}
        present = tuple(way for way in ways if set(way) <= set(frame.columns))
        return any(
            frame.select(dataclasses.replace(self.person, values=key, forms={}).mine((way,)).any()).item()
            for way in present
            for key in self.person.keys
            if all(_fits(frame.schema[column], value) for column, value in zip(way, key, strict=True))
        )

    def _is_refused(self, row: str, ways: Iterable[tuple[str, ...]]) -> bool:
        forms = [texts_of(key) for key in self.person.keys]
        said = any(_says(row, dict(zip(way, texts, strict=True))) for way in ways for texts in forms)
        return said or self.names.within(row.encode())

    def _count(self, place: str, count: int) -> None:
        if count:
            self.erased[place] = self.erased.get(place, 0) + count


def _fits(kind: pl.DataType, value: object) -> bool:
    if isinstance(value, str):
        return kind == pl.String
    return kind == pl.Boolean if isinstance(value, bool) else kind.is_integer()


def _says(row: str, wanted: dict[str, str]) -> bool:
    """Whether a row, as JSON, has these values."""
    try:
        values = json.loads(row)
    except ValueError:
        return False
    return isinstance(values, dict) and all(
        values.get(name) is not None and text_of(values[name]) == text for name, text in wanted.items()
    )
