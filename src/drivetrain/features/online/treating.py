"""Pushed events treated as the rows of their source are, before anything is made of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.data.column import DTYPES
from drivetrain.data.contract import Contract
from drivetrain.data.privacy.vault import Vault
from drivetrain.data.source import Source
from drivetrain.data.treating import treated, treatments
from drivetrain.data.treatment import Drop, Keys, kept_type


class EventTreating:
    """What is done to events, as far as a view looks at them.

    Args:
        needed: Columns that the view reads of an event.
        source: Whose rows they are.
        keys: Keys that its columns are treated with.

    Raises:
        ProjectError: The view reads what its source does not keep.
    """

    def __init__(self, needed: Collection[str], source: Source, keys: Keys | None) -> None:
        every = treatments(source.contract)
        self.columns = tuple(sorted(name for name in needed if name in every))
        """Columns that are treated."""
        dropped = [name for name in self.columns if isinstance(every[name], Drop)]
        if dropped:
            raise ProjectError(f"a view of {source.name!r} reads {dropped[0]!r}, which is not kept")
        subjects = [treat.subject for treat in every.values() if isinstance(treat, Vault)]
        self.reads = frozenset(subjects if any(isinstance(every[name], Vault) for name in self.columns) else ())
        """Columns that treating looks at beside them."""
        declared = source.contract.columns
        self.types = {name: DTYPES[kept_type(every[name], declared[name].type)] for name in self.columns}
        """Types of the columns once they are treated."""
        names = (*self.columns, *sorted(self.reads - set(self.columns)))
        self._contract = Contract({name: declared[name] for name in names if name in declared})
        self._raw = {name: declared[name].dtype if name in declared else None for name in names}
        self._keys = keys

    def treated(self, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """Typed events, with what their rows will hold in the place of values that are treated."""
        assert self._keys is not None, "who pushes into treated columns has their keys"
        frame = pl.DataFrame([{name: row[name] for name in self._raw} for row in rows], schema=self._raw)
        made = treated(frame, self._contract, self._keys).select(self.columns)
        return [{**row, **kept} for row, kept in zip(rows, made.iter_rows(named=True), strict=True)]
