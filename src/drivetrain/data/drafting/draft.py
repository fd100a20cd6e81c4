"""A drafted contract, and the Python that says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drivetrain.data.column import Column
from drivetrain.data.contract import Contract, Share
from drivetrain.data.drafting.rule import Rule, quoted

SLACK = 0.1
"""Ranges are drafted wider than what was seen by this share of it, on either side."""


@dataclass(frozen=True)
class Draft:
    """A drafted contract.

    Attributes:
        columns: Name → rules.
        notes: Name → what was seen, and what the rules leave out.
        keys: Columns, or the fewest together, whose values name every row that was seen.
        times: Columns that may be the event's time; those in order of arrival first.
        rows: How many rows were seen.
        deliveries: How many deliveries they came in.
        checks: Relations of the columns that every row keeps.
        tables: What every delivery keeps as a whole.
        balance: Column → value → shares of rows.
        volume: Multiples of the usual number of rows; none where deliveries are few or too different.
        drift: Column → greatest distance from the deliveries before.
        freshness: Greatest age of the newest row; none where the rows that were seen are old themselves.
    """

    columns: dict[str, Column]
    notes: dict[str, str]
    keys: tuple[tuple[str, ...], ...] = ()
    times: tuple[str, ...] = ()
    rows: int = 0
    deliveries: int = 1
    checks: tuple[Rule, ...] = ()
    tables: tuple[Rule, ...] = ()
    balance: Mapping[str, Mapping[str | int, Share]] = field(default_factory=dict)
    volume: Share | None = None
    drift: Mapping[str, float] = field(default_factory=dict)
    freshness: str | None = None

    def __str__(self) -> str:
        """The draft as Python to paste, under the name ``contract``."""
        return as_python(self, "contract")

    @property
    def min_rows(self) -> int:
        """Fewest rows of a delivery."""
        return 1 if self.volume else 0

    @property
    def contract(self) -> Contract:
        """The contract that it is."""
        return Contract(
            self.columns,
            {rule.says: rule.expression for rule in self.checks},
            {rule.says: rule.expression for rule in self.tables},
            balance=self.balance,
            volume=self.volume,
            drift=self.drift,
            freshness=self.freshness,
            min_rows=self.min_rows,
        )


def as_python(draft: Draft, name: str) -> str:
    """The draft as Python to paste."""
    came = f" in {draft.deliveries:,} deliveries" if draft.deliveries > 1 else ""
    wider = f"ranges are {SLACK:.0%} wider on either side than what was seen, or more"
    lines = [f"# drafted from {draft.rows:,} rows{came}; {wider}"]
    keys = " or ".join(f'"{key[0]}"' if len(key) == 1 else str(list(key)).replace("'", '"') for key in draft.keys)
    lines.append(f"# key: {keys or 'no column, nor three of them, names every row'}")
    if draft.times:
        lines.append(f"# time: {' or '.join(quoted(one) for one in draft.times)}")
    if draft.checks or draft.tables:
        lines.append("# needs: import polars as pl")
    spelled = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    lines.append(f"{spelled if spelled.isidentifier() else f'DATA_{spelled}'.rstrip('_')} = dt.Contract(")
    lines.append("    {")
    for column, rules in draft.columns.items():
        told = draft.notes[column].replace("\n", " ")
        lines.append(
            f"        {quoted(column)}: dt.Column({', '.join(_arguments(rules))}),{f'  # {told}' if told else ''}"
        )
    lines += ["    },", *_rest(draft), ")"]
    return "\n".join(lines) + "\n"


def _rest(draft: Draft) -> Iterator[str]:
    for word, rules in (("checks", draft.checks), ("tables", draft.tables)):
        if rules:
            yield f"    {word}={{"
            yield from (f"        {quoted(rule.says)}: {rule.python}," for rule in rules)
            yield "    },"
    if draft.balance:
        yield "    balance={"
        for column, shares in draft.balance.items():
            told = ", ".join(
                f"{quoted(value) if isinstance(value, str) else value}: {share}" for value, share in shares.items()
            )
            yield f"        {quoted(column)}: {{{told}}},"
        yield "    },"
    if draft.drift:
        yield f"    drift={{{', '.join(f'{quoted(column)}: {limit:g}' for column, limit in draft.drift.items())}}},"
    if draft.volume:
        yield f"    volume={draft.volume},"
    if draft.freshness:
        yield f"    freshness={quoted(draft.freshness)},"
    if draft.min_rows:
        yield f"    min_rows={draft.min_rows},"


def _arguments(rules: Column) -> Iterator[str]:
    yield quoted(rules.type)
    if not rules.nullable:
        yield "nullable=False"
    if rules.complete is not None:
        yield f"complete={rules.complete:g}"
    for word in ("low", "high"):
        bound = getattr(rules, word)
        if bound is not None:
            yield f"{word}={quoted(bound) if isinstance(bound, str) else f'{bound!r}'}"
    if rules.among:
        yield f"among=({', '.join(quoted(str(one)) for one in rules.among)},)"
    if rules.pattern is not None:
        yield f"pattern={quoted(rules.pattern)}"
    if rules.unique:
        yield "unique=True"
    if rules.increasing:
        yield "increasing=True"
    if rules.privacy != "internal":
        yield f"privacy={quoted(rules.privacy)}"
