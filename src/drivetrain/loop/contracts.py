"""Contracts: drafted from data, held against rows anywhere, exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from drivetrain.core.clock import now
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.data import ledger
from drivetrain.data.arrival import RESERVED
from drivetrain.data.batch_history import history
from drivetrain.data.column import Privacy
from drivetrain.data.contract import Contract
from drivetrain.data.drafting.draft import Draft
from drivetrain.data.examine import Examined, examine
from drivetrain.data.infer import infer
from drivetrain.data.judge import History
from drivetrain.data.lookups import lookups, versions
from drivetrain.data.odcs import as_odcs, from_odcs
from drivetrain.data.personal import Verdict, called, verdict
from drivetrain.data.reader import Batch
from drivetrain.data.readers.files import files
from drivetrain.data.screen import Before, Lookups, screen
from drivetrain.data.source import Source
from drivetrain.data.standing import Standing
from drivetrain.data.treating import as_named
from drivetrain.loop.definitions import Definitions

_YAML = (".yaml", ".yml", ".json")
_ROW = "_row"


class Contracts:
    """The contracts of a project's sources.

    Args:
        project: Whose; none to look at files alone.
    """

    def __init__(self, project: Definitions | None) -> None:
        self._project = project

    def infer(self, target: str | Path, *, nulls: tuple[str, ...] = ()) -> Draft:
        """Drafts a contract from a source's rows, as ``prepare`` leaves them, or from a file's.

        Columns that look personal are drafted with their privacy class, and with what that rests on instead of values.

        Args:
            target: Name of a source, or a file.
            nulls: Texts in a CSV file that stand for a missing value.

        Raises:
            UnknownName: It is neither.
            SourceError: It can't be read, or has no row.
        """
        source = self._declared(target)
        if source is None:
            return _drafted((batch, batch.rows) for batch in _read(target, nulls))
        bare = replace(source, contract=Contract({}, on_breach="warn"))
        known = self._lookups(source)
        batches = source.reader.read(self._folder(), "")
        return _drafted((batch, screen(batch, bare, known, Before()).rows) for batch in batches)

    def check(
        self, target: str | Path, *, contract: str | Path | None = None, nulls: tuple[str, ...] = ()
    ) -> list[Examined]:
        """Holds rows against a contract; nothing is taken in.

        Args:
            target: Name of a source, whose rows are read from the start, or a file.
            contract: Name of the source whose contract it is, or a data contract in the Open Data Contract Standard
                (YAML or JSON); by default the source's own, or the only one's.
            nulls: Texts in a CSV file that stand for a missing value.

        Raises:
            UnknownName: A name is neither a source nor a file.
            UsageError: Nothing says which contract.
            SourceError: The rows can't be read.
        """
        declared = self._declared(target)
        if contract is not None and Path(str(contract).partition("#")[0]).suffix in _YAML:
            source, known, before, past = (
                _of_file(str(contract)),
                Lookups(_no_table, _no_values, _NoKeys()),
                Before(),
                History(),
            )
        else:
            source = self._judge(declared, contract)
            known = self._lookups(source)
            before, past = self._before(source, known) if declared is None else (_afresh(source, known), History())
        batches = _read(target, nulls) if declared is None else declared.reader.read(self._folder(), "")
        if source.key == (_ROW,):
            batches = _numbered(batches)
        return examine(batches, source, known, before, past, now=now())

    def export(self, source: str) -> dict[str, object]:
        """A source's contract as an Open Data Contract Standard document.

        Raises:
            UnknownName: There is no such source.
        """
        declared = self._named(source)
        name = self._project.name if self._project else ""
        return as_odcs(declared, project=name)

    def _declared(self, target: str | Path) -> Source | None:
        if self._project is not None and str(target) in self._project.sources:
            return self._project.sources[str(target)]
        if Path(target).is_file():
            return None
        known = ", ".join(self._project.sources) if self._project else ""
        raise UnknownName(
            "there is no source and no file of that name",
            found=repr(str(target)),
            expected=f"a file, or one of {known}" if known else "a file",
        )

    def _named(self, name: str) -> Source:
        sources = self._project.sources if self._project else {}
        if name not in sources:
            raise UnknownName(
                "no source goes by that name",
                found=repr(name),
                expected=f"one of {', '.join(sources) or 'none so far'}",
            )
        return sources[name]

    def _judge(self, declared: Source | None, contract: str | Path | None) -> Source:
        if contract is not None:
            return self._named(str(contract))
        sources = list(self._project.sources.values()) if self._project else []
        if declared is not None:
            return declared
        if len(sources) != 1:
            raise UsageError(
                "nothing says which contract the file must keep",
                expected="--contract with the name of a source, or a YAML file",
            )
        return sources[0]

    def _folder(self) -> Path:
        return self._project.folder if self._project else Path()

    def _lookups(self, source: Source) -> Lookups:
        if self._project is None:
            return Lookups(_no_table, _no_values, _NoKeys())
        store = self._project.store
        return lookups(store, versions(store, source, self._project.sources))

    def _before(self, source: Source, known: Lookups) -> tuple[Before, History]:
        """What a file would come to, if it were the source's next."""
        if self._project is None:
            return _afresh(source, known), History()
        store = self._project.store
        present = ledger.last_entry(store.tables, source.name)
        if present is None or ledger.begins_anew(source, present[0]) or not present[0].rows:
            return _afresh(source, known), History()
        entry = present[0]
        columns = {name: kind for name, kind in store.tables.schema(source.name).items() if name not in RESERVED}
        standing = replace(_afresh(source, known).standing, rows=store.tables.scan(source.name))
        return Before(columns, standing, entry.shape), history(store, source, entry.number - entry.first + 1)


def _afresh(source: Source, known: Lookups) -> Before:
    """What the first rows of a table come to, which look others up as ingestion does."""
    return Before(standing=Standing(source.key, named=partial(as_named, contract=source.contract, keys=known.keys)))


def _suspicious(frame: pl.DataFrame, deliveries: Sequence[int]) -> Draft:
    """A draft in which what looks personal is classed, and none of its values is written down."""
    found: dict[str, Verdict] = {}

    def classify(name: str, values: pl.Series) -> Privacy | None:
        one = verdict(values.alias(name)) or called(values.alias(name))
        if one is None:
            return None
        found[name] = one
        return one.privacy

    draft = infer(frame, classify, deliveries=deliveries, now=now())
    return replace(
        draft,
        columns={
            name: replace(rules, among=(), pattern=None, low=None, high=None) if name in found else rules
            for name, rules in draft.columns.items()
        },
        notes={
            name: f"looks like {found[name].kind}: {'; '.join(found[name].evidence)}" if name in found else told
            for name, told in draft.notes.items()
        },
    )


def _of_file(named: str) -> Source:
    path, _, table = named.partition("#")
    made = from_odcs(Path(path), table or None)
    return Source(
        name=made.name,
        reader=files(path),
        key=made.key or (_ROW,),
        time=made.time,
        contract=made.contract,
    )


def _read(target: str | Path, nulls: tuple[str, ...]) -> Iterator[Batch]:
    return files(str(target), nulls=nulls).read(Path.cwd(), "")


def _numbered(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Rows of a contract that names no key go by their place."""
    for batch in batches:
        yield msgspec.structs.replace(batch, rows=batch.rows.with_row_index(_ROW))


def _drafted(batches: Iterable[tuple[Batch, pl.DataFrame]]) -> Draft:
    """The draft of batches, each with its rows; those of one delivery count as one."""
    found: list[pl.DataFrame] = []
    deliveries: list[int] = []
    for batch, rows in batches:
        if batch.before and deliveries:
            deliveries[-1] += rows.height
        else:
            deliveries.append(rows.height)
        found += [rows] if rows.height else []
    together = pl.concat(found, how="diagonal_relaxed") if found else pl.DataFrame()
    return _suspicious(together, deliveries)


def _no_table(name: str) -> pl.DataFrame:
    raise UnknownName(f"rows are looked up in table {name!r}, and there is no project", do="Say --project")


def _no_values(table: str, _: str) -> pl.Series:
    return _no_table(table).to_series()


class _NoKeys:
    """Keys, where there is no project that has any."""

    def key(self, place: str) -> bytes:
        raise UnknownName(f"values are treated with a key in {place!r}, and there is no project", do="Say --project")

    def subjects(self, place: str, subjects: Sequence[str]) -> dict[str, bytes]:
        return dict.fromkeys(subjects, self.key(place))
