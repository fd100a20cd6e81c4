"""Tables: versioned rows in Delta Lake. A commit is one file of the table's log: all of it is there, or none."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import polars as pl

from drivetrain.core import plugins
from drivetrain.core.clock import Micros
from drivetrain.core.errors import StoreError, UnknownName
from drivetrain.store.columns import fit
from drivetrain.store.log import schema_of
from drivetrain.store.purge import LOG as _LOG
from drivetrain.store.purge import purge

_ATTEMPTS = 40
_KEPT_OPEN = 16
_KEPT_TOLD = 256
_COMMIT = re.compile(r"\d{20}\.json")
_FULL = ("No space left", "StorageFull", "File too large", "Quota exceeded")
_Properties: TypeAlias = object
"""What goes with a commit into the log."""
_Stamp: TypeAlias = tuple[int, int, int]
"""Inode, size and time of a commit's file: a version that was put back from a backup and made again has another."""


class _Table(Protocol):
    """A table as deltalake opened it."""

    def version(self) -> int: ...

    def transaction_version(self, app_id: str) -> int | None: ...

    def count(self) -> int: ...

    def file_uris(self) -> list[str]: ...

    def create_checkpoint(self) -> None: ...


class Tables:
    """Every table of a project, by name; a name is a path under the root (``training/late``).

    Each change is one commit, and makes the next version. A commit may carry a note, kept with that version, and a
    transaction ``(application, number)``: numbers of one application only grow, and a change whose number is not
    greater than the last one committed does nothing. That makes a repeated change harmless after a crash anywhere.
    Writers in any number of processes take turns; none loses a row.

    Args:
        root: A local folder; made when the first table is.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: OrderedDict[tuple[str, int], tuple[_Stamp | None, _Table]] = OrderedDict()
        self._told: OrderedDict[tuple[str, int], tuple[_Stamp | None, dict[str, Any]]] = OrderedDict()
        self._folders: dict[str, Path] = {}
        self._newest: dict[str, int] = {}

    @cached_property
    def _delta(self) -> Any:  # noqa: ANN401 - the adapter's own
        # On first use: what serves reads no table, and deltalake takes 30 MB of memory.
        return plugins.load("logs", "deltalake")

    def append(
        self,
        name: str,
        frame: pl.DataFrame,
        *,
        transaction: tuple[str, int] | None = None,
        note: Mapping[str, str] | None = None,
        partition_by: Sequence[str] = (),
    ) -> int:
        """Adds rows; makes the table if there is none.

        Args:
            name: The table.
            frame: The rows. A column that the table lacks is added to it (null in older rows), one that the frame lacks
                is null in the new rows.
            transaction: As for every change; see the class.
            note: Kept with the new version.
            partition_by: Columns whose values part the files; only heeded when the table is made.

        Returns:
            The new version, or the present one where the transaction was committed before.

        Raises:
            StoreError: A column can't be kept or changed its type, or the folder can't be written; nothing was kept.
        """

        def commit(table: _Table | None, properties: _Properties) -> None:
            if table is None:
                self._create(name, frame, properties, partition_by)
                return
            self._extend(table, fit(name, frame, self._schema(table)), properties)

        return self._change(name, commit, transaction, note)

    def replace(
        self,
        name: str,
        frame: pl.DataFrame,
        *,
        transaction: tuple[str, int] | None = None,
        note: Mapping[str, str] | None = None,
    ) -> int:
        """Puts these rows, and their columns, in place of all there are, as a new version; as :meth:`append` else."""

        def commit(table: _Table | None, properties: _Properties) -> None:
            if table is None:
                self._create(name, frame, properties)
                return
            self._delta.overwrite(table, fit(name, frame, None), properties)

        return self._change(name, commit, transaction, note)

    def merge(
        self,
        name: str,
        frame: pl.DataFrame,
        keys: Sequence[str],
        *,
        gone: pl.DataFrame | None = None,
        transaction: tuple[str, int] | None = None,
        note: Mapping[str, str] | None = None,
    ) -> int:
        """Puts each row in place of the one with its keys, or adds it where there is none; as :meth:`append` else.

        Args:
            name: The table.
            frame: The rows.
            keys: Columns that name a row.
            gone: Keys of rows to take out, in the same commit; none of them may be among the rows.
            transaction: As for every change; see the class.
            note: Kept with the new version.

        Raises:
            StoreError: As for :meth:`append`, or a key is null or comes twice in the frame.
        """
        _check_keys(name, frame, keys)

        def commit(table: _Table | None, properties: _Properties) -> None:
            if table is None:
                self._create(name, frame, properties)
                return
            schema = self._schema(table)
            rows = fit(name, frame, schema)
            # Delta makes no commit of an empty merge, and the note and transaction would be lost.
            if rows.is_empty() and (gone is None or gone.is_empty()):
                self._extend(table, rows, properties)
                return
            same = " AND ".join(f"{_quoted('old', key)} = {_quoted('new', key)}" for key in keys)
            if gone is not None and gone.height:
                mark = pl.lit(value=True).alias("_gone")
                stay = [rows.with_columns(~mark.alias("_gone"))] if rows.height else []
                given = pl.concat([*stay, gone.select(keys).with_columns(mark)], how="diagonal_relaxed")
                taken = {_bare(column): _quoted("new", column) for column in rows.columns} if rows.height else {}
                self._delta.merge_or_remove(table, given, same, _quoted("new", "_gone"), taken, properties)
                return
            self._delta.merge(table, rows, same, properties, other=not set(rows.columns) <= set(schema))

        return self._change(name, commit, transaction, note)

    def delete(self, name: str, predicate: str) -> int:
        """Removes the rows that a SQL predicate holds for; earlier versions keep them. The note stays.

        Raises:
            UnknownName: There is no such table.
            StoreError: The predicate can't be read, or the folder can't be written.
        """

        def commit(table: _Table | None, _: _Properties) -> None:
            if table is None:
                raise _unknown(name)
            self._delta.delete(table, predicate, self._delta.properties(self.note(name, table.version()), None))

        return self._change(name, commit)

    def compact(self, name: str) -> int:
        """Gathers many small files into few, as a new version with equal rows and the note before it."""

        def commit(table: _Table | None, _: _Properties) -> None:
            if table is None:
                raise _unknown(name)
            self._delta.compact(table, self._delta.properties(self.note(name, table.version()), None))

        return self._change(name, commit)

    def purge(self, name: str, *, note: Mapping[str, str] | None = None) -> int:
        """Leaves nothing on disk of rows that were deleted or replaced: earlier versions can't be read again.

        Nobody may write the table meanwhile; who reads an earlier version is refused. Killed at any instant, doing it
        again does the rest.

        Args:
            name: The table.
            note: Kept with the new version; that of the present one by default.

        Returns:
            The new version, whose rows are those of the one before.

        Raises:
            UnknownName: There is no such table.
            StoreError: The folder can't be written.
        """
        kept = self.note(name) if note is None else note
        self._delta.keep_no_deleted(self._open(name), self._delta.properties(kept, None))
        version = self.append(name, pl.DataFrame(schema=self.schema(name)), note=kept)
        try:
            purge(self.folder(name), self._open(name, version))
        except OSError as error:
            raise _failed(name, error) from error
        finally:
            self._opened.pop((name, version), None)  # it stands on a log of which most is gone
        return version

    def has(self, name: str, version: int) -> bool:
        """Whether a version can be read: it was made, and was not erased since."""
        latest = self.version(name)
        return latest is not None and 0 <= version <= latest and self._is_there(name, version)

    def scan(self, name: str, version: int | None = None) -> pl.LazyFrame:
        """The rows, lazily; of the present version by default.

        Raises:
            UnknownName: There is no such table or version.
        """
        rows: pl.LazyFrame = self._delta.scan(self._reading(name, version))
        return rows

    def read(self, name: str, version: int | None = None) -> pl.DataFrame:
        """The rows.

        Raises:
            UnknownName: There is no such table or version.
            StoreError: A file is missing or damaged.
        """
        try:
            return self.scan(name, version).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise _damaged(name, error) from error

    def version(self, name: str) -> int | None:
        """The present version; ``None`` if there is no such table.

        Versions follow one another without a gap: where one was found before, a look at the next is enough, however
        many there are.
        """
        known = self._newest.get(name)
        if known is None or not self._is_there(name, known):
            known = _latest(self.folder(name))
            if known is None:
                return None
        while self._is_there(name, known + 1):
            known += 1
        self._newest[name] = known
        return known

    def _is_there(self, name: str, version: int) -> bool:
        return os.path.exists(self._commit_file(name, version))  # noqa: PTH110 - asked hundreds of times a look

    def _commit_file(self, name: str, version: int) -> str:
        return f"{self.folder(name)}/{_LOG}/{version:020d}.json"

    def note(self, name: str, version: int | None = None) -> dict[str, str]:
        """The note that was committed with a version; empty if none was.

        Raises:
            UnknownName: There is no such table or version.
        """
        notes = self._commit_info(name, version).get("note", "{}")
        return dict(json.loads(notes))

    def written(self, name: str, version: int | None = None) -> Micros:
        """When a version was committed, by the clock of who wrote it, to the millisecond.

        Raises:
            UnknownName: There is no such table or version.
        """
        return 1_000 * int(self._commit_info(name, version).get("timestamp", 0))

    def transaction(self, name: str, application: str, version: int | None = None) -> int | None:
        """The number of the last transaction that an application committed by a version, if any."""
        table = self._reading(name, version) if self.version(name) is not None else None
        return None if table is None else table.transaction_version(application)

    def rows(self, name: str, version: int | None = None) -> int:
        """How many rows, from the log alone."""
        return self._reading(name, version).count()

    def files(self, name: str) -> int:
        """How many files the present version is made of; :meth:`compact` makes them few."""
        return len(self._reading(name).file_uris())

    def schema(self, name: str, version: int | None = None) -> pl.Schema:
        """The columns and their types.

        Raises:
            UnknownName: There is no such table or version.
            StoreError: The log is damaged.
        """
        latest = self._known(name, version)
        try:
            return schema_of(self.folder(name) / _LOG, latest if version is None else version)
        except (OSError, ValueError) as error:
            raise _damaged(name, error) from error

    def names(self) -> list[str]:
        """Every table's name, sorted."""
        folders = (log.parent for log in self._root.glob(f"**/{_LOG}"))
        return sorted(folder.relative_to(self._root).as_posix() for folder in folders if _latest(folder) is not None)

    def _known(self, name: str, version: int | None) -> int:
        """The present version, of a table that has this one too."""
        latest = self.version(name)
        if latest is None or (version or 0) > latest:
            raise _unknown(name, latest, version)
        if version is not None and not self._is_there(name, version):
            raise _erased(name, version, latest)
        return latest

    def _commit_info(self, name: str, version: int | None) -> dict[str, Any]:
        latest = self._known(name, version)
        key = (name, latest if version is None else version)
        stamp = self._stamp(*key)
        known = self._told.get(key)
        if known is None or stamp is None or known[0] != stamp:
            known = self._told[key] = (stamp, self._read_commit(*key))
            while len(self._told) > _KEPT_TOLD:
                self._told.popitem(last=False)
        return known[1]

    def _stamp(self, name: str, version: int) -> _Stamp | None:
        """Which file a version's commit is; none where it is gone."""
        try:
            stat = os.stat(self._commit_file(name, version))  # noqa: PTH116 - as above
        except OSError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _read_commit(self, name: str, version: int) -> dict[str, Any]:
        # Read from the log itself: deltalake's history() of an older version answers with newer commits.
        try:
            lines = Path(self._commit_file(name, version)).read_text("utf-8").splitlines()
            actions = [json.loads(line) for line in lines]
        except (OSError, ValueError) as error:
            raise _damaged(name, error) from error
        return next((dict(action["commitInfo"]) for action in actions if "commitInfo" in action), {})

    def folder(self, name: str) -> Path:
        """Where a table's files are, whether or not it is there.

        Raises:
            UnknownName: It is no name of a table.
        """
        if name in self._folders:
            return self._folders[name]
        parts = name.split("/")
        if not all(parts) or any(part in {".", "..", _LOG} or "\0" in part or "\\" in part for part in parts):
            raise UnknownName("not a table name", found=repr(name), expected="names parted by single slashes")
        return self._folders.setdefault(name, self._root.joinpath(*parts))

    def _reading(self, name: str, version: int | None = None) -> _Table:
        """A table at a version, to read only: one that was opened stays open for as long as its commit is the same.

        A version never changes, but for a table that was put back from a backup and written anew.
        """
        latest = self._known(name, version)
        key = (name, latest if version is None else version)
        if key[1] != latest and not self.has(name, key[1]):  # somebody has purged the table since it was opened
            self._opened.pop(key, None)
            raise _erased(name, key[1], latest)
        stamp = self._stamp(*key)  # before it is opened: what changes meanwhile is seen at the next look
        kept = self._opened.get(key)
        if kept is not None and stamp is not None and kept[0] == stamp:
            return kept[1]
        table = self._open(name, key[1])
        self._keep_open(name, table, stamp)
        return table

    def _keep_open(self, name: str, table: _Table, stamp: _Stamp | None) -> None:
        self._opened[name, table.version()] = stamp, table
        while len(self._opened) > _KEPT_OPEN:
            self._opened.popitem(last=False)

    def _open(self, name: str, version: int | None = None) -> _Table:
        self._known(name, version)
        try:
            opened: _Table = self._delta.open(self.folder(name), version)
        except self._delta.errors as error:
            raise _damaged(name, error) from error
        return opened

    def _create(
        self, name: str, frame: pl.DataFrame, properties: _Properties, partition_by: Sequence[str] = ()
    ) -> None:
        self._delta.create(self.folder(name), fit(name, frame, None), partition_by, properties)

    def _extend(self, table: _Table, rows: pl.DataFrame, properties: _Properties) -> None:
        self._delta.append(table, rows, properties, other=set(rows.columns) != set(self._schema(table)))

    def _schema(self, table: _Table) -> pl.Schema:
        rows: pl.LazyFrame = self._delta.scan(table)
        return rows.collect_schema()

    def _change(
        self,
        name: str,
        commit: Callable[[_Table | None, _Properties], None],
        transaction: tuple[str, int] | None = None,
        note: Mapping[str, str] | None = None,
    ) -> int:
        """Commits, and does it again on the newer table for as long as somebody else commits first."""
        for attempt in range(_ATTEMPTS):
            table = self._open(name) if self.version(name) is not None else None
            try:
                if table is not None and transaction is not None:
                    known = table.transaction_version(transaction[0])
                    if known is not None and known >= transaction[1]:
                        return table.version()
                commit(table, self._delta.properties(note, transaction))
            except self._delta.errors as error:
                made_meanwhile = table is None and self.version(name) is not None
                if not isinstance(error, self._delta.overtaken) and not made_meanwhile:
                    raise _failed(name, error) from error
                refused = error
                time.sleep(random.uniform(0.0, 0.01 * (attempt + 1)))  # noqa: S311 - parts writers, hides nothing
            else:
                if table is None:
                    return 0
                version = table.version()
                self._keep_open(name, table, self._stamp(name, version))  # it stands at what it has made, and is ours
                return version
        raise _failed(name, refused) from refused


def _latest(folder: Path) -> int | None:
    """The newest commit in a table's log: a hundred times quicker than to open the table."""
    try:
        entries = os.listdir(folder / _LOG)  # noqa: PTH208 - names are enough, and there may be thousands
    except OSError:
        return None
    return max((int(entry[:20]) for entry in entries if _COMMIT.fullmatch(entry)), default=None)


def _unknown(name: str, latest: int | None = None, version: int | None = None) -> UnknownName:
    if latest is None:
        return UnknownName(f"there is no table {name}", do="Run the step that makes it first")
    return UnknownName(f"table {name} has no version {version}", expected=f"0 to {latest}")


def _erased(name: str, version: int, latest: int) -> StoreError:
    return StoreError(
        f"version {version} of table {name} was erased, and can't be read again",
        expected=f"version {latest}, the present one",
        do="Run: drivetrain run, which makes anew what was made of it",
    )


def _damaged(name: str, error: Exception) -> StoreError:
    reason = str(error).partition("\n")[0]
    return StoreError(f"table {name} can't be read: {reason}", do="Restore its folder from a backup")


def _failed(name: str, error: Exception) -> StoreError:
    full = any(words in str(error) for words in _FULL)
    reason = next((line for line in str(error).splitlines() if any(words in line for words in _FULL)), str(error))
    return StoreError(
        f"table {name} can't be changed: {reason.partition(chr(10))[0]}",
        do="Free some disk space, then run the command again" if full else None,
    )


def _check_keys(name: str, frame: pl.DataFrame, keys: Sequence[str]) -> None:
    found = frame.select(keys)
    if nulls := [key for key in keys if found[key].null_count()]:
        raise StoreError(f"table {name}: rows with no {nulls[0]!r} can't be merged by it", do="Leave them out first")
    if twice := found.is_duplicated().sum():
        raise StoreError(
            f"table {name}: {twice:,} rows to merge share their {', '.join(keys)}", do="Keep one row of each first"
        )


def _quoted(alias: str, column: str) -> str:
    return f"{alias}.{_bare(column)}"


def _bare(column: str) -> str:
    doubled = column.replace('"', '""')
    return f'"{doubled}"'
