"""What a contract would say of rows that are not taken in: the same rules, and nothing is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import msgspec
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import ContractBreach, SourceError
from drivetrain.core.records import TableVersion
from drivetrain.data.arrival import AVAILABLE_AT, EVENT_TIME, with_times
from drivetrain.data.judge import Failing, History, judge, stale
from drivetrain.data.profile import profile_of
from drivetrain.data.reader import Batch
from drivetrain.data.screen import Before, Lookups, screen
from drivetrain.data.source import Source
from drivetrain.data.treating import treated
from drivetrain.data.veil import veil_of

_EXAMPLES = 5


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract says of some rows.

    Attributes:
        origin: The rows.
        rows: How many there are.
        bad: How many break a rule.
        reasons: Rule, or what was left out, → rows.
        examples: Some rows' reasons, with what was found; values that are personal, sensitive or secret are masked.
        failing: Rules of the whole that are broken.
        shape: What is different about the columns, as a diff.
    """

    origin: str
    rows: int
    bad: int
    reasons: dict[str, int]
    examples: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the contract is kept."""
        return not self.bad and not self.failing


def examine(
    batches: Iterable[Batch], source: Source, lookups: Lookups, before: Before, history: History, *, now: Micros
) -> list[Examined]:
    """Holds every batch against a contract; nothing is written.

    Args:
        batches: The rows.
        source: What they must become.
        lookups: Other tables.
        before: The table and the delivery that they come to.
        history: Earlier batches.
        now: The present moment.

    Raises:
        SourceError: The rows can't be read, or ``prepare`` failed.
    """
    # Rows are counted, however many are bad; a change of shape that the contract refuses is told as such.
    lenient = replace(source.contract, on_breach="quarantine", max_quarantine_share=1.0, min_rows=0)
    veil = veil_of(source)
    told: list[Examined] = []
    newest: list[Micros] = []
    for batch in batches:
        total = batch.rows.height + len(batch.unreadable)
        failing = [] if total >= source.contract.min_rows else [_few(total, source)]
        try:
            found = screen(batch, replace(source, contract=lenient), lookups, before)
        except (ContractBreach, SourceError) as error:
            told.append(Examined(origin=batch.origin, rows=total, bad=0, reasons={}, failing=(str(error),)))
            continue
        rows = found.rows
        after = partial(_after, rows, source, lookups, before)
        failing += judge(
            rows, source.contract, history, delivered=total, columns=partial(profile_of, rows), table=after
        )
        if source.time is not None and rows.height:
            timed = with_times(rows, source).select(EVENT_TIME, AVAILABLE_AT).cast(pl.Int64)
            newest += [int(end) for end in timed.max().row(0)]
        told.append(
            Examined(
                origin=batch.origin,
                rows=total,
                bad=len(found.refused),
                reasons=dict(Counter(found.reasons).most_common()),
                examples=tuple("; ".join(map(veil.reason, row.reasons)) for row in found.refused[:_EXAMPLES]),
                failing=tuple(map(str, failing)),
                shape=tuple(found.change.lines()),
            )
        )
    old = _age(source, newest, now)
    if old is not None and told:
        told[-1] = msgspec.structs.replace(told[-1], failing=(*told[-1].failing, str(old)))
    return told


def _after(
    rows: pl.DataFrame, source: Source, lookups: Lookups, before: Before, columns: Sequence[str]
) -> pl.DataFrame:
    """Some columns of the table as it would be with the rows."""
    kept = treated(rows, source.contract, lookups.keys)
    return before.standing.with_rows(kept, kept.clear(), columns)


def _few(total: int, source: Source) -> Failing:
    return Failing("rows of the batch", f"{total:,}", f"{source.contract.min_rows:,} or more")


def _age(source: Source, newest: list[Micros], now: Micros) -> Failing | None:
    if source.time is None and source.contract.freshness is None:
        return None
    made = TableVersion(table=source.name, version=0, digest="", rows=0, last_event=max(newest, default=None))
    return stale(source.contract, made, now)
