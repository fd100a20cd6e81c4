"""A kind of damage: what it does to a good delivery, where it strikes, and what must become of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

Dice: TypeAlias = random.Random
Subject: TypeAlias = Literal["flights", "weather"]
Caught: TypeAlias = Literal["refused", "set aside", "counted", "undone", "nothing"]
"""What the delivery meets: it is refused with a sentence; some of its rows are set aside with a reason; it is taken in
and the table's version says so; it is read as it was meant; or nothing happens, and the kind says why."""


@dataclass(frozen=True)
class Good:
    """A delivery without damage, every field as text, null where it is empty.

    Attributes:
        name: What its file is called, without suffix.
        rows: Its rows.
        before: The delivery before it.
        other: The delivery of another source in the same days.
    """

    name: str
    rows: pl.DataFrame
    before: pl.DataFrame
    other: pl.DataFrame


@dataclass(frozen=True)
class Delivery:
    """What arrives: files with their bytes, and how many rows there are; none where the bytes do not tell."""

    files: Mapping[str, bytes]
    rows: int | None = None


Plant: TypeAlias = Callable[[Good, Dice], Delivery]


@dataclass(frozen=True)
class Kind:
    """One kind of damage.

    Attributes:
        name: In few words.
        does: What it does, in words.
        of: Whose delivery it strikes.
        where: The column, or what else it strikes.
        caught: What must become of the delivery.
        by: What notices it; where nothing does, why not.
        plant: Makes the damaged delivery; the same from the same dice.
        module: The file it is in.
    """

    name: str
    does: str
    of: Subject
    where: str
    caught: Caught
    by: str
    plant: Plant
    module: str


KINDS: dict[str, Kind] = {}
"""Every kind, by name, in the order of its files."""


def csv_of(rows: pl.DataFrame) -> bytes:
    """Rows as a CSV file."""
    return rows.write_csv().encode()


def _register(kind: Kind) -> None:
    if kind.name in KINDS:
        raise ValueError(kind.name)
    KINDS[kind.name] = kind


def _home(made: Callable[..., object]) -> str:
    return made.__module__.rpartition(".")[2]


def of_rows(  # noqa: PLR0913, RUF100 - the fields of a kind
    name: str, does: str, *, of: Subject = "flights", where: str, caught: Caught, by: str
) -> Callable[[Callable[[Good, Dice], pl.DataFrame]], Callable[[Good, Dice], pl.DataFrame]]:
    """Registers a kind that changes rows; they are delivered as CSV."""

    def known(change: Callable[[Good, Dice], pl.DataFrame]) -> Callable[[Good, Dice], pl.DataFrame]:
        def plant(good: Good, dice: Dice) -> Delivery:
            rows = change(good, dice)
            return Delivery({f"{good.name}.csv": csv_of(rows)}, rows.height)

        _register(Kind(name, does, of, where, caught, by, plant, _home(change)))
        return change

    return known


def of_text(
    name: str, does: str, *, of: Subject = "flights", where: str, caught: Caught, by: str
) -> Callable[[Callable[[str, Good, Dice], str | bytes]], Callable[[str, Good, Dice], str | bytes]]:
    """Registers a kind that changes the text of a CSV file."""

    def known(change: Callable[[str, Good, Dice], str | bytes]) -> Callable[[str, Good, Dice], str | bytes]:
        def plant(good: Good, dice: Dice) -> Delivery:
            made = change(csv_of(good.rows).decode(), good, dice)
            return Delivery({f"{good.name}.csv": made.encode() if isinstance(made, str) else made})

        _register(Kind(name, does, of, where, caught, by, plant, _home(change)))
        return change

    return known


def of_files(
    name: str, does: str, *, of: Subject = "flights", where: str, caught: Caught, by: str
) -> Callable[[Plant], Plant]:
    """Registers a kind that makes the files itself."""

    def known(plant: Plant) -> Plant:
        _register(Kind(name, does, of, where, caught, by, plant, _home(plant)))
        return plant

    return known


def some(rows: pl.DataFrame, dice: Dice, share: float) -> pl.Series:
    """One boolean per row: true for about a share of them, for one at least."""
    count = max(1, round(share * rows.height))
    hit = set(dice.sample(range(rows.height), count))
    return pl.Series([at in hit for at in range(rows.height)], dtype=pl.Boolean)


def everywhere(rows: pl.DataFrame, **columns: pl.Expr | str | None) -> pl.DataFrame:
    """Rows with other values, as text; what is empty stays so."""
    return rows.with_columns(
        pl.when(pl.col(name).is_not_null())
        .then((value if isinstance(value, pl.Expr) else pl.lit(value, dtype=pl.String)).cast(pl.String))
        .alias(name)
        for name, value in columns.items()
    )


def changed(rows: pl.DataFrame, where: pl.Series, **columns: pl.Expr | str | None) -> pl.DataFrame:
    """Rows with other values in some places; see :func:`everywhere`."""
    chosen, made = pl.lit(where), everywhere(rows, **columns)
    return rows.with_columns(pl.when(chosen).then(made[name]).otherwise(pl.col(name)).alias(name) for name in columns)


def number(name: str) -> pl.Expr:
    """A column of text as numbers."""
    return pl.col(name).cast(pl.Float64)


def whole(value: pl.Expr) -> pl.Expr:
    """A number as the text of a whole one."""
    return value.round().cast(pl.Int64).cast(pl.String)


def moment(name: str) -> pl.Expr:
    """A column of text as moments."""
    return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ")


def told(value: pl.Expr) -> pl.Expr:
    """A moment as the text that it is delivered as."""
    return value.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
