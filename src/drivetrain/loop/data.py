"""What a version of a table holds, and what moved since another."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from drivetrain.core.errors import UnknownName
from drivetrain.core.records import BiasReport, TableVersion
from drivetrain.data.compare import AT, Moved, compare
from drivetrain.data.histogram import Histogram, histogram
from drivetrain.data.profile import ColumnProfile, profile
from drivetrain.data.veil import Veil, veil_of
from drivetrain.loop.audit import personal_columns
from drivetrain.loop.bias import bias
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.stages.training_set import training_table


class ColumnFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a version.

    Attributes:
        name: The column.
        dtype: Its Polars type.
        nulls: Share of rows without a value.
        distinct: How many different values, about.
        low: The least; none where it may not be shown.
        high: The greatest.
        mean: Of numbers.
        quantiles: Of numbers: share → value, about.
        top: Most frequent values with their shares.
        histogram: Of numbers and times: how they are spread.
        masked: Whether figures are left out because the column is classed personal, sensitive or secret.
    """

    name: str
    dtype: str
    nulls: float
    distinct: int | None
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    quantiles: dict[str, float] = {}
    top: tuple[tuple[str, float], ...] = ()
    histogram: Histogram | None = None
    masked: bool = False


class TableFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a table.

    Attributes:
        table: The table.
        version: The version.
        rows: How many rows.
        columns: What they hold.
        against: The version it is compared with, if any.
        moved: What is different from it, column by column.
        reasons: What was counted when the version was made.
    """

    table: str
    version: int
    rows: int
    columns: tuple[ColumnFigures, ...]
    against: int | None = None
    moved: tuple[Moved, ...] = ()
    reasons: dict[str, int] = {}


class Data:
    """What a project's tables hold, and what they say of groups.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def __call__(self, table: str, *, version: int | None = None, against: int | None = None) -> TableFigures:
        """What a version of a table holds, column by column, and what moved since another.

        Args:
            table: A source, or what a step made.
            version: Which version; the newest by default.
            against: The version to compare with.

        Raises:
            UnknownName: There is no such table or version.
        """
        return figures(self._project, table, version=version, against=against)

    def bias(self, model: str | Model | None = None) -> BiasReport:
        """What a model's training set says of its protected attributes, before anything is trained on it.

        Representation, label rate and nulls of each group and of each intersection of attributes, with intervals. The
        rows are those that would teach: with a label that was known when the test window opens. This is a step of the
        road, kept in the catalog: a report that is on record already is read, not made again.

        Args:
            model: Which model, by name or as declared; not needed where there is one.

        Raises:
            UnknownName: There is no such model, or a table it needs was never taken in.
            UsageError: The model declares no protected attribute.
            TrainingError: No row has a label.
            StoreError: Another process is running this project, and the report is not on record.
        """
        return bias(self._project, model)


def figures(
    project: Definitions, table: str, *, version: int | None = None, against: int | None = None
) -> TableFigures:
    """See :class:`Data`."""
    known = {made.version: made for made in project.store.catalog.find(TableVersion, table)}
    if not known:
        names = ", ".join(project.store.tables.names())
        raise UnknownName(f"there is no table {table!r}", expected=f"one of {names}" if names else None)
    chosen = max(known) if version is None else version
    veil = veil_of_table(project, table, known.values())
    now = profile(project.store, table, chosen, veil=veil).behind(veil)
    moved: list[Moved] = []
    old: dict[str, ColumnProfile] = {}
    if against is not None:
        before = profile(project.store, table, against, veil=veil).behind(veil)
        old = {column.name: column for column in before.columns}
        moved = compare(before, now)
    made = known.get(chosen)
    return TableFigures(
        table=table,
        version=chosen,
        rows=now.rows,
        columns=tuple(_figures(column, old.get(column.name), masked=veil.hides(column.name)) for column in now.columns),
        against=against,
        moved=tuple(moved),
        reasons=veil.reasons(made.reasons) if made else {},
    )


def veil_of_table(project: Definitions, table: str, versions: Iterable[TableVersion]) -> Veil:
    """Which columns of a source's table, or of a training set, must not be seen.

    Of a table that nothing declares any more, none may: nothing says what they hold.

    Args:
        project: Whose.
        table: The table.
        versions: Its versions.
    """
    if table in project.sources:
        return veil_of(project.sources[table])
    model = next((model for model in project.models.values() if training_table(model.name) == table), None)
    columns = frozenset(column.name for version in versions for column in version.columns)
    if model is None:
        return Veil(columns, columns)
    return Veil(frozenset(personal_columns(project, model, columns)), columns)


def _figures(column: ColumnProfile, before: ColumnProfile | None, *, masked: bool) -> ColumnFigures:
    bare = ColumnFigures(
        name=column.name,
        dtype=column.dtype,
        nulls=column.nulls / column.rows if column.rows else 0.0,
        distinct=column.distinct if column.values else None,
        masked=masked,
    )
    if masked:
        return bare
    told = dict(zip(map(str, AT), column.quantiles.at(AT), strict=False)) if column.mean is not None else {}
    return msgspec.structs.replace(
        bare,
        low=column.low,
        high=column.high,
        mean=column.mean,
        quantiles=told,
        top=tuple((name, count / column.values) for name, count in column.top),
        histogram=histogram(column, before),
    )
