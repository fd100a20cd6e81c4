"""The world outside: who spends how much where, who steals, and what a bank's systems deliver of it.

Transactions follow the simulator described in chapter 3 of *Reproducible Machine Learning for Credit Card Fraud
Detection* (Le Borgne, Siblini, Lebichot, Bontempi; Université Libre de Bruxelles and Worldline, 2022), written anew
from the description with arrays instead of loops; its random numbers are others, so its rows are others too.

Everything comes from a seed and a size, so that a call repeated does the same. That a transaction was a fraud is known
seven days after it; until then nobody knows it to be good either.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.clock import DAY, SECOND, Micros, datetime_of, micros_of

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

START: Micros = micros_of("2018-04-01")
KNOWN_AFTER: Micros = 7 * DAY
"""How long after a transaction its outcome is known."""
DAYS, CUSTOMERS, TERMINALS, SIDE = 183, 5_000, 10_000, 100.0
REACH = 5.0
"""How far from home a customer pays, in the plane's units."""
LARGE = 220.0
"""Scenario 1: an amount above it is a fraud."""
TERMINALS_A_DAY, TERMINAL_DAYS = 2, 28
"""Scenario 2: so many terminals are compromised each day, for so many days."""
CARDS_A_DAY, CARD_DAYS, TIMES = 3, 14, 5
"""Scenario 3: so many cards leak each day; for so many days a third of their payments are so many times as large."""

_SECONDS = 86_400
_OF_CUSTOMERS, _OF_TERMINALS, _OF_SPENDING, _OF_TERMINAL_DRAWS, _OF_CARD_DRAWS, _OF_THEFT = range(6)
"""Each part of the world draws from a stream of its own."""


@dataclass(frozen=True)
class Scale:
    """Which world, and how large."""

    seed: int = 2018
    days: int = DAYS
    customers: int = CUSTOMERS
    terminals: int = TERMINALS
    side: float = SIDE


FULL = Scale()


class _Spending(NamedTuple):
    """Honest transactions in the order of time."""

    customer: Ints
    day: Ints
    second: Ints
    amount: Floats
    terminal: Ints


def generate(
    seed: int, days: int = DAYS, customers: int = CUSTOMERS, terminals: int = TERMINALS, *, side: float = SIDE
) -> pl.DataFrame:
    """Every transaction, with what only the world knows of it.

    Args:
        seed: Which world.
        days: How many, from 2018-04-01.
        customers: How many cards.
        terminals: How many of them; keep ``terminals / side²`` near 1, or customers find too few within reach.
        side: Of the square plane.

    Returns:
        ``transaction_id``, ``time`` (UTC, whole seconds; two transactions may share one), ``customer_id``,
        ``terminal_id``, ``amount`` (cents are whole), ``fraud``, and ``scenario`` (0 none, 1 large amount, 2 terminal,
        3 card; the last that struck). In the order of ``time`` and of ``transaction_id``.
    """
    scale = Scale(seed, days, customers, terminals, side)
    spent = _spending(scale)
    amount = spent.amount.copy()
    scenario = (amount > LARGE).astype(np.int8)
    scenario[_stolen_at_terminals(spent, scale)] = 2
    for taken in _stolen_with_cards(spent, scale):
        amount[taken] *= TIMES
        scenario[taken] = 3
    return pl.DataFrame(
        {
            "transaction_id": np.arange(len(amount)),
            "time": pl.Series(START + (spent.day * _SECONDS + spent.second) * SECOND).cast(pl.Datetime("us", "UTC")),
            "customer_id": spent.customer,
            "terminal_id": spent.terminal,
            "amount": np.round(amount, 2),
            "fraud": scenario > 0,
            "scenario": scenario,
        }
    )


def customer_profiles(seed: int, count: int = CUSTOMERS, side: float = SIDE) -> pl.DataFrame:
    """Who spends: ``customer_id``, home ``x`` and ``y``, ``mean_amount``, ``mean_per_day``."""
    random = np.random.default_rng([seed, _OF_CUSTOMERS])
    return pl.DataFrame(
        {
            "customer_id": np.arange(count),
            "x": random.uniform(0, side, count),
            "y": random.uniform(0, side, count),
            "mean_amount": random.uniform(5, 100, count),
            "mean_per_day": random.uniform(0, 4, count),
        }
    )


def terminal_profiles(seed: int, count: int = TERMINALS, side: float = SIDE) -> pl.DataFrame:
    """Where they pay: ``terminal_id``, ``x``, ``y``."""
    random = np.random.default_rng([seed, _OF_TERMINALS])
    return pl.DataFrame(
        {"terminal_id": np.arange(count), "x": random.uniform(0, side, count), "y": random.uniform(0, side, count)}
    )


def compromised_terminals(seed: int, days: int = DAYS, count: int = TERMINALS) -> pl.DataFrame:
    """Scenario 2's draws: ``day`` from the start, ``terminal_id``."""
    return _draws(np.random.default_rng([seed, _OF_TERMINAL_DRAWS]), days, count, TERMINALS_A_DAY, "terminal_id")


def compromised_cards(seed: int, days: int = DAYS, count: int = CUSTOMERS) -> pl.DataFrame:
    """Scenario 3's draws: ``day`` from the start, ``customer_id``."""
    return _draws(np.random.default_rng([seed, _OF_CARD_DRAWS]), days, count, CARDS_A_DAY, "customer_id")


def lay_out(raw: Path, until: Micros, scale: Scale = FULL) -> None:
    """Writes everything that has arrived before a moment, as a bank would have it.

    Args:
        raw: Folder to write to: ``transactions/2018-04.parquet`` and so on, each transaction as it was made;
            ``outcomes/2018-04.parquet`` and so on, the same transactions once more with ``fraud`` and ``known_at``, in
            the month that it became known; ``customers.csv`` and ``terminals.csv`` with their places.
        until: The moment; what arrives at it, or later, is left out.
        scale: Which world.
    """
    for source, (rows, arrives) in _arrivals(scale).items():
        (raw / source).mkdir(parents=True, exist_ok=True)
        arrived = rows.filter(pl.col(arrives) < datetime_of(until))
        months = arrived.group_by(pl.col(arrives).dt.strftime("%Y-%m").alias("month"), maintain_order=True)
        for (month,), part in months:
            _write(raw / source / f"{month}.parquet", part)
    places = ("x", "y")
    customer_profiles(scale.seed, scale.customers, scale.side).select("customer_id", *places).write_csv(
        raw / "customers.csv"
    )
    terminal_profiles(scale.seed, scale.terminals, scale.side).select("terminal_id", *places).write_csv(
        raw / "terminals.csv"
    )


def deliver(raw: Path, since: Micros, until: Micros, scale: Scale = FULL) -> None:
    """Adds what arrives in ``[since, until)``: a file of transactions, a file of outcomes.

    Repeating it changes nothing.
    """
    name = datetime_of(since).strftime("%Y-%m-%d" if since % DAY == 0 else "%Y-%m-%dT%H%M")
    for source, rows in arriving(since, until, scale).items():
        if not rows.is_empty():
            _write(raw / source / f"{name}.parquet", rows)


def arriving(since: Micros, until: Micros, scale: Scale = FULL) -> dict[str, pl.DataFrame]:
    """What arrives in ``[since, until)``: ``transactions`` as they are made, ``outcomes`` as they become known."""
    made = {}
    for source, (rows, arrives) in _arrivals(scale).items():
        moments = rows[arrives].to_physical()
        start, end = (int(moments.search_sorted(moment, side="left")) for moment in (since, until))
        made[source] = rows.slice(start, end - start)
    return made


@lru_cache(maxsize=1)
def _arrivals(scale: Scale) -> dict[str, tuple[pl.DataFrame, str]]:
    """What each source delivers, in the order of the column that says when."""
    rows = generate(scale.seed, scale.days, scale.customers, scale.terminals, side=scale.side).drop("scenario")
    known = pl.col("time") + pl.duration(microseconds=KNOWN_AFTER)
    return {"transactions": (rows.drop("fraud"), "time"), "outcomes": (rows.with_columns(known_at=known), "known_at")}


def _within_reach(people: pl.DataFrame, places: pl.DataFrame) -> tuple[Ints, Ints]:
    """Terminals within reach of each customer, one after the other, and how many each has."""
    x, y = places["x"].to_numpy(), places["y"].to_numpy()
    near, counts = [], []
    for part in people.iter_slices(256):
        across = part["x"].to_numpy()[:, None] - x
        along = part["y"].to_numpy()[:, None] - y
        within = across**2 + along**2 < REACH**2
        near.append(np.nonzero(within)[1])
        counts.append(within.sum(axis=1))
    return np.concatenate(near), np.concatenate(counts)


def _spending(scale: Scale) -> _Spending:
    random = np.random.default_rng([scale.seed, _OF_SPENDING])
    people = customer_profiles(scale.seed, scale.customers, scale.side)
    near, near_counts = _within_reach(people, terminal_profiles(scale.seed, scale.terminals, scale.side))
    a_day = np.where(near_counts > 0, people["mean_per_day"].to_numpy(), 0.0)
    counts = random.poisson(a_day[:, None], (scale.customers, scale.days))
    customer = np.repeat(np.arange(scale.customers), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(scale.days), scale.customers), counts.ravel())
    second = random.normal(_SECONDS / 2, 20_000, len(day)).astype(np.int64)
    made = np.flatnonzero((second > 0) & (second < _SECONDS))
    made = made[np.argsort(day[made] * _SECONDS + second[made], kind="stable")]
    customer = customer[made]
    mean = people["mean_amount"].to_numpy()[customer]
    amount = random.normal(mean, mean / 2)
    amount = np.where(amount < 0, random.uniform(0, 2 * mean), amount)
    first = np.cumsum(near_counts) - near_counts
    terminal = near[first[customer] + random.integers(0, near_counts[customer])]
    return _Spending(customer, day[made], second[made], np.round(amount, 2), terminal)


def _stolen_at_terminals(spent: _Spending, scale: Scale) -> npt.NDArray[np.bool_]:
    compromised = np.zeros((scale.terminals, scale.days), dtype=np.bool_)
    for start, drawn in compromised_terminals(scale.seed, scale.days, scale.terminals).iter_rows():
        compromised[drawn, start : start + TERMINAL_DAYS] = True
    return compromised[spent.terminal, spent.day]


def _stolen_with_cards(spent: _Spending, scale: Scale) -> list[Ints]:
    """For each day's draw of cards, which of their transactions are not their owners'."""
    random = np.random.default_rng([scale.seed, _OF_THEFT])
    by_card = np.argsort(spent.customer, kind="stable")
    place = (spent.customer * scale.days + spent.day)[by_card]
    draws = compromised_cards(scale.seed, scale.days, scale.customers)["customer_id"].to_numpy()
    taken = []
    for start, drawn in enumerate(draws.reshape(scale.days, CARDS_A_DAY)):
        firsts = np.searchsorted(place, drawn * scale.days + start)
        ends = np.searchsorted(place, drawn * scale.days + min(start + CARD_DAYS, scale.days))
        pool = np.concatenate([by_card[first:end] for first, end in zip(firsts, ends, strict=True)])
        taken.append(random.choice(pool, len(pool) // 3, replace=False))
    return taken


def _draws(random: np.random.Generator, days: int, count: int, a_day: int, name: str) -> pl.DataFrame:
    drawn = [random.choice(count, a_day, replace=False) for _ in range(days)]
    return pl.DataFrame({"day": np.repeat(np.arange(days), a_day), name: np.concatenate(drawn)})


def _write(path: Path, rows: pl.DataFrame) -> None:
    """Puts a whole file in place at once: nobody ever reads half of one."""
    made = path.with_name(f".{path.name}.part")
    rows.write_parquet(made)
    made.replace(path)


def main() -> None:
    """Lays out the whole world, every outcome known."""
    parser = argparse.ArgumentParser(description="Write raw/ beside this file: transactions, outcomes, places.")
    parser.add_argument("--seed", type=int, default=FULL.seed, help=f"which world (default {FULL.seed})")
    parser.add_argument("--days", type=int, default=FULL.days, help=f"how many days (default {FULL.days})")
    options = parser.parse_args()
    end = START + options.days * DAY + KNOWN_AFTER
    lay_out(Path(__file__).resolve().parent / "raw", end, Scale(seed=options.seed, days=options.days))


if __name__ == "__main__":
    main()
