"""Every call of deltalake that tables need; one commit each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from drivetrain.adapters.deltalake.encodings import encodings_of

_CONFIGURATION = {
    # The log is replayed from the last checkpoint: with 100 commits since, appends take six times as long.
    "delta.checkpointInterval": "10",
    "delta.enableExpiredLogCleanup": "false",  # every version can be read again until erased
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.deletedFileRetentionDuration": "interval 36500 days",
}
_SMALL_FILE = 1 << 20
_HOOKS = PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False)


class DeltaLogs:
    """Tables of Delta Lake; ``properties`` go with a commit into the log."""

    errors: tuple[type[Exception], ...] = (DeltaError, OSError)
    """What any call may raise."""
    overtaken: type[Exception] = CommitFailedError
    """Which of them says that somebody else committed first."""

    def properties(self, note: Mapping[str, str] | None, transaction: tuple[str, int] | None) -> CommitProperties:
        """What goes with a commit: a note, and the number of a transaction of an application."""
        return CommitProperties(
            custom_metadata={"note": json.dumps(dict(note))} if note else None,
            app_transactions=[Transaction(*transaction)] if transaction else None,
        )

    def open(self, folder: Path, version: int | None) -> DeltaTable:
        """A table, at a version; the newest by default."""
        return DeltaTable(str(folder), version=version)

    def scan(self, table: DeltaTable) -> pl.LazyFrame:
        """A table's rows."""
        return pl.scan_delta(table)

    def create(
        self, folder: Path, rows: pl.DataFrame, partition_by: Sequence[str], properties: CommitProperties
    ) -> None:
        """Makes a table of these rows."""
        # Left to itself, it would come second to whoever makes the same table at the same moment, as another version.
        only = CommitProperties(properties.custom_metadata, 0, properties.app_transactions)
        write_deltalake(
            str(folder),
            rows,
            mode="error",
            partition_by=list(partition_by) or None,
            configuration=_CONFIGURATION,
            writer_properties=encodings_of(rows),
            commit_properties=only,
            post_commithook_properties=_HOOKS,
        )

    def append(self, table: DeltaTable, rows: pl.DataFrame, properties: CommitProperties, *, other: bool) -> None:
        """Adds rows, which may have ``other`` columns than the table."""
        write_deltalake(
            table,
            rows,
            mode="append",
            schema_mode="merge" if other else None,
            writer_properties=encodings_of(rows),
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )

    def overwrite(self, table: DeltaTable, rows: pl.DataFrame, properties: CommitProperties) -> None:
        """Puts rows and their columns in place of all there are."""
        write_deltalake(
            table,
            rows,
            mode="overwrite",
            schema_mode="overwrite",
            writer_properties=encodings_of(rows),
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )

    def merge(
        self, table: DeltaTable, rows: pl.DataFrame, same: str, properties: CommitProperties, *, other: bool
    ) -> None:
        """Puts each row in place of the one that is the ``same``, a condition on ``old`` and ``new``, or adds it."""
        (
            table.merge(
                rows,
                same,
                source_alias="new",
                target_alias="old",
                merge_schema=other,
                # Whole in memory its least and greatest keys are known, and files beyond them are left alone.
                streamed_exec=False,
                writer_properties=encodings_of(rows),
                commit_properties=properties,
                post_commithook_properties=_HOOKS,
            )
            .when_matched_update_all()
            .when_not_matched_insert_all()
            .execute()
        )

    def merge_or_remove(
        self,
        table: DeltaTable,
        rows: pl.DataFrame,
        same: str,
        gone: str,
        taken: Mapping[str, str],
        properties: CommitProperties,
    ) -> None:
        """As :meth:`merge`, in one commit with removing rows.

        Args:
            table: The table.
            rows: Rows, and keys of those to remove.
            same: Condition that a row of ``new`` is one of ``old``.
            gone: Condition on ``new``: what it is the same as is removed.
            taken: Column → the value it is given; none where there are only rows to remove.
            properties: What goes with the commit.
        """
        merger = table.merge(
            rows,
            same,
            source_alias="new",
            target_alias="old",
            streamed_exec=False,
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        ).when_matched_delete(gone)
        if taken:
            merger = merger.when_matched_update(dict(taken)).when_not_matched_insert(dict(taken), f"NOT {gone}")
        merger.execute()

    def delete(self, table: DeltaTable, predicate: str, properties: CommitProperties) -> None:
        """Removes the rows that a SQL predicate holds for."""
        table.delete(predicate, commit_properties=properties, post_commithook_properties=_HOOKS)

    def compact(self, table: DeltaTable, properties: CommitProperties) -> None:
        """Gathers many small files into few.

        Files of a quarter of the table or more stay as they are: nine are left at most, and a row is written again
        a few times in its life, instead of every time.
        """
        sizes = pl.DataFrame(table.get_add_actions(flatten=True))["size_bytes"]
        table.optimize.compact(
            target_size=max(_SMALL_FILE, int(sizes.sum()) // 4),
            commit_properties=properties,
            post_commithook_properties=_HOOKS,
        )

    def keep_no_deleted(self, table: DeltaTable, properties: CommitProperties) -> None:
        """Has the log of a table in parts forget removed files at its next checkpoint: their names hold values."""
        if table.metadata().partition_columns:
            table.alter.set_table_properties(
                {"delta.deletedFileRetentionDuration": "interval 0 days"}, commit_properties=properties
            )
