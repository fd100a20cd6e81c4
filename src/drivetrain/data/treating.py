"""Treatments applied: to rows before they are written, and to what quarantine keeps of rows that were refused."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.quarantine import UNREADABLE, Refused
from drivetrain.data.treatment import WITHHELD, Keys, Treatment

_FOUND = re.compile(r"found .*(?=, expected )|found .*", re.DOTALL)


def treatments(contract: Contract) -> dict[str, Treatment]:
    """Column → what is done to it."""
    return {name: column.treat for name, column in contract.columns.items() if column.treat is not None}


def treated(rows: pl.DataFrame, contract: Contract, keys: Keys) -> pl.DataFrame:
    """Rows as they are written.

    Raises:
        SettingsError: A key is not where it was said to be.
    """
    made = {name: treat.apply(rows, name, keys) for name, treat in treatments(contract).items() if name in rows.columns}
    gone = [name for name, column in made.items() if column is None]
    kept = [column.alias(name) for name, column in made.items() if column is not None]
    return rows.with_columns(kept).drop(gone)


def as_named(rows: pl.DataFrame, contract: Contract, keys: Keys) -> pl.DataFrame:
    """Rows with pseudonyms where the table has them, to be looked up in it; all else as it came."""
    known = {name: treat for name, treat in treatments(contract).items() if treat.keeps_apart and name in rows.columns}
    made = {name: treat.apply(rows, name, keys) for name, treat in known.items()}
    return rows.with_columns(column.alias(name) for name, column in made.items() if column is not None)


def veiled(refused: Sequence[Refused], contract: Contract, keys: Keys) -> list[Refused]:
    """Refused rows without raw values of columns that are treated, or secret.

    A pseudonym stands where one would in the table; any other value is withheld. So is the whole of a row that could
    not be read, whose values nobody can tell apart.
    """
    hidden = {name: column for name, column in contract.columns.items() if column.treat or column.privacy == "secret"}
    return [_veiled(row, hidden, keys) for row in refused] if hidden else list(refused)


def _veiled(row: Refused, hidden: dict[str, Column], keys: Keys) -> Refused:
    reasons = [_reason(reason, hidden) for reason in row.reasons]
    try:
        values = json.loads(row.row)
    except ValueError:
        values = None
    if not isinstance(values, dict) or UNREADABLE in row.rules:
        return replace(row, reasons=[WITHHELD for _ in reasons], row=f"{WITHHELD} {len(row.row)} characters")
    for name, column in hidden.items():
        if values.get(name) is not None:
            values[name] = _stand_in(values[name], column, keys)
    return replace(row, reasons=reasons, row=json.dumps(values, ensure_ascii=False))


def _stand_in(value: object, column: Column, keys: Keys) -> str | None:
    if column.treat is None or not column.treat.keeps_apart:
        return WITHHELD
    text = value if isinstance(value, str) else json.dumps(value)
    made = column.treat.apply(pl.DataFrame({"value": [text]}), "value", keys)
    return None if made is None else str(made[0])


def _reason(reason: str, hidden: dict[str, Column]) -> str:
    """A reason without the value it quotes, where that may be one that is hidden."""
    subject = reason.partition(":")[0]
    if subject in hidden or any(re.search(rf"\b{re.escape(name)}\b", reason) for name in hidden):
        return _FOUND.sub(f"found {WITHHELD}", reason)
    return reason
