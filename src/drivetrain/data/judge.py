"""Rules that a batch as a whole must keep: how complete, how balanced, how many, how far from before, how old."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from drivetrain.core.clock import Micros, duration, iso, show_duration
from drivetrain.core.errors import ContractBreach
from drivetrain.core.records import TableVersion
from drivetrain.core.special import special
from drivetrain.data.checks import missing_column
from drivetrain.data.contract import Contract, Share
from drivetrain.data.distance import ALPHA, shift
from drivetrain.data.profile import ColumnProfile, TableProfile

HISTORY = 20
"""Batches whose median says how many rows one usually has."""
LEAST_HISTORY = 3


@dataclass(frozen=True)
class Failing:
    """A rule that a batch as a whole breaks.

    Attributes:
        rule: The rule without figures, to count by.
        found: What is so instead, in words.
        expected: What should be.
    """

    rule: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.rule}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True)
class History:
    """What a batch is compared with.

    Attributes:
        volumes: Rows that earlier batches brought, newest first.
        reference: The profile of the version that distributions are compared with, made when it is asked for.
    """

    volumes: Sequence[int] = ()
    reference: Callable[[], TableProfile | None] = lambda: None


def judge(
    rows: pl.DataFrame,
    contract: Contract,
    history: History,
    *,
    delivered: int | None,
    columns: Callable[[], Sequence[ColumnProfile]],
    table: Callable[[Sequence[str]], pl.DataFrame] | None = None,
) -> list[Failing]:
    """Every rule of the batch as a whole.

    Args:
        rows: Those that keep all rules of rows.
        contract: The rules.
        history: Earlier batches.
        delivered: How many rows came, bad ones included; none where that says nothing, as for a file read again.
        columns: Their profile, made when it is asked for.
        table: Some columns of the table as it will be kept with them; none where that is judged apart.
    """
    found: list[Failing] = []
    if delivered is not None and contract.volume is not None:
        found += _volume(delivered, contract.volume, history.volumes)
    if rows.height:
        found += _complete(rows, contract)
        found += _balance(rows, contract)
        found += _tables(rows, contract)
        found += _drift(contract, history, columns)
        found += [] if table is None else singled_out(contract, table)
    return found


def delivered_by(version: TableVersion) -> int:
    """How many rows the batch behind a version brought."""
    return version.delivered or version.added + version.quarantined


def stale(contract: Contract, version: TableVersion | None, now: Micros) -> Failing | None:
    """What is wrong with the age of the newest event or arrival of a table, if anything."""
    known = [at for at in (version.last_event, version.last_available) if at is not None] if version else []
    newest: Micros | None = max(known, default=None)
    if contract.freshness is None or (newest is not None and now - newest <= duration(contract.freshness)):
        return None
    age = "no row with a time" if newest is None else f"{_age(now - newest)}: it is of {iso(newest)}"
    return Failing("age of the newest row", age, f"at most {contract.freshness}")


def refuse(
    origin: str,
    failing: Sequence[Failing],
    *,
    rows: int,
    aside: int,
    reasons: Mapping[str, int],
    piece: bool = False,
) -> ContractBreach:
    """The error for a batch that breaks rules as a whole.

    Args:
        origin: The batch.
        failing: The rules.
        rows: How many rows it has.
        aside: How many of them break rules of rows: often the same trouble, seen closer.
        reasons: Those rules, and how many rows break each.
        piece: Whether the batch is a piece of a delivery that is too large for one.
    """
    worst = "; ".join(f"{reason} ({count:,})" for reason, count in Counter(reasons).most_common(5))
    inside = f" in {aside:,} of {rows:,} rows ({worst}), and" if aside else ""
    return ContractBreach(
        f"{origin} breaks its contract{inside} as a whole: {'; '.join(map(str, failing))}",
        do="Look whether the source has changed; nothing of this batch was taken in"
        + ("; pieces of the delivery before it stand; with larger batches more of it is judged at once" * piece),
    )


def _volume(delivered: int, bounds: tuple[float, float], volumes: Sequence[int]) -> Iterator[Failing]:
    known = [rows for rows in volumes if rows][:HISTORY]
    if len(known) < LEAST_HISTORY:
        return
    usual = statistics.median(known)
    low, high = bounds
    if not low * usual <= delivered <= high * usual:
        yield Failing(
            "rows of the batch",
            f"{delivered:,}",
            f"{low * usual:,.0f} to {high * usual:,.0f}, as the median of the last {len(known)} is {usual:,.0f}",
        )


def _complete(rows: pl.DataFrame, contract: Contract) -> Iterator[Failing]:
    for name, column in contract.columns.items():
        if column.complete is not None:
            share = 1 - rows[name].null_count() / rows.height
            if share < column.complete:
                yield Failing(
                    f"{name}: rows with a value", f"{share:.2%} of {rows.height:,}", f"at least {column.complete:.2%}"
                )


def _balance(rows: pl.DataFrame, contract: Contract) -> Iterator[Failing]:
    for name, value, (low, high) in contract.balances():
        if name not in rows.columns:
            raise missing_column([name], rows.columns, "the contract's balance")
        known = rows[name].drop_nulls()
        if not len(known):
            continue
        wanted = "1" if known.dtype.is_numeric() else "true"
        hits = int((known.cast(pl.String) == (wanted if value is None else str(value))).sum())
        least, most = _interval(hits, len(known))
        if most < low or least > high:
            what = name if value is None else f"{name} = {value!r}"
            yield Failing(
                f"{what}: share of rows", f"{hits / len(known):.2%} of {len(known):,}", f"{low:.2%} to {high:.2%}"
            )


def _tables(rows: pl.DataFrame, contract: Contract) -> Iterator[Failing]:
    for says, expression in contract.tables.items():
        absent = [name for name in expression.meta.root_names() if name not in rows.columns]
        if absent:
            raise missing_column(absent, rows.columns, f"the check {says!r}")
        told = rows.select(expression.alias("told")).to_series()
        if len(told) != 1 or told.item() is not True:
            what = f"{len(told):,} values" if len(told) != 1 else str(told.item()).lower()
            yield Failing(says, what, "true")


def _drift(contract: Contract, history: History, columns: Callable[[], Sequence[ColumnProfile]]) -> Iterator[Failing]:
    reference = history.reference() if contract.drift else None
    if reference is None:
        return
    before = {column.name: column for column in reference.columns}
    now = {column.name: column for column in columns()}
    for name, most in contract.drift.items():
        if name not in before or name not in now:
            raise missing_column([name], list(now), "the contract's drift")
        moved = shift(before[name], now[name])
        if moved is not None and moved[0] > most + moved[1]:
            yield Failing(
                f"{name}: distribution",
                f"a distance of {moved[0]:.3f} from version {reference.version}",
                f"at most {most:g}, and {moved[1]:.3f} for chance",
            )


def singled_out(contract: Contract, table: Callable[[Sequence[str]], pl.DataFrame]) -> list[Failing]:
    """Whether a table singles somebody out against its contract.

    Args:
        contract: The rules.
        table: Some columns of the table as it will be kept.
    """
    asked = contract.anonymous
    if asked is None:
        return []
    kept = table(asked.reads)
    absent = [name for name in asked.reads if name not in kept.columns]
    if absent:
        raise missing_column(absent, kept.columns, "the contract's anonymous")
    found = asked.of(kept)
    if asked.holds(found):
        return []
    small = f"{found.small:,} of {found.rows:,} rows in smaller groups, the smallest of {found.k:,}"
    alike = f"{found.alike:,} in groups with fewer values of {asked.sensitive}, the fewest {found.diversity}"
    wanted = f"groups of {asked.k:,} rows or more" + (f" with {asked.diversity:,} values" if asked.sensitive else "")
    return [
        Failing(
            f"rows that say the same in {', '.join(asked.columns)}",
            " and ".join(text for text, broken in ((small, found.small), (alike, found.alike)) if broken),
            wanted + (f", but for {asked.spare:.2%}" if asked.spare else ""),
        )
    ]


def _interval(hits: int, rows: int) -> Share:
    """Clopper and Pearson's interval of a share (1934), wrong as often as :data:`~drivetrain.data.distance.ALPHA`."""
    low = float(special().betaincinv(hits, rows - hits + 1, ALPHA / 2)) if hits else 0.0
    high = float(special().betaincinv(hits + 1, rows - hits, 1 - ALPHA / 2)) if hits < rows else 1.0
    return low, high


def _age(micros: Micros) -> str:
    unit = next((size for size in (86_400_000_000, 3_600_000_000, 60_000_000) if micros >= 2 * size), 1_000_000)
    return show_duration(micros // unit * unit)
