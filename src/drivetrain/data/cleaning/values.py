"""Steps that change values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from drivetrain.core.hashing import digest_bytes
from drivetrain.data.cleaning.step import number, replaced, require, written

Changed: TypeAlias = tuple[pl.DataFrame, dict[str, int]]
Tables: TypeAlias = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class _Plain:
    @property
    def meaning(self) -> object:
        """All settings."""
        return [repr(value) for value in vars(self).values()]

    @property
    def raw(self) -> tuple[str, ...]:
        """None: values are wanted with their types."""
        return ()

    @property
    def needs(self) -> tuple[str, ...]:
        """None."""
        return ()


@dataclass(frozen=True)
class _Raw(_Plain):
    columns: tuple[str, ...]

    @property
    def raw(self) -> tuple[str, ...]:
        """Its columns: what they hold is text until it is done."""
        return self.columns


@dataclass(frozen=True)
class Trim(_Raw):
    """White space around texts goes, and that within is made single; a text of nothing else becomes null."""

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, self.columns, "trim")
        texts = [name for name in self.columns if rows.schema[name] == pl.String]
        made = {name: pl.col(name).str.strip_chars().str.replace_all(r"\s+", " ") for name in texts}
        return replaced(rows, {name: pl.when(text != "").then(text) for name, text in made.items()}, "trim")


@dataclass(frozen=True)
class Parse(_Raw):
    """Texts that are written in some country's or program's way, written as the contract reads them."""

    kind: Literal["number", "time", "date"]
    formats: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()
    zone: str = "UTC"

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, self.columns, "parse")
        texts = [name for name in self.columns if rows.schema[name] == pl.String]
        return replaced(rows, {name: pl.coalesce(self._read(pl.col(name)), pl.col(name)) for name in texts}, "parse")

    def _read(self, text: pl.Expr) -> pl.Expr:
        """What a text says, in ISO 8601 or as a plain number; null where it can't be read."""
        bare = text.str.strip_chars()
        if self.kind == "number":
            plain = bare
            for affix in self.affixes:
                plain = plain.str.strip_prefix(affix).str.strip_suffix(affix).str.strip_chars()
            for letter in self.thousands:
                plain = plain.str.replace_all(letter, "", literal=True)
            plain = plain.str.replace(self.decimal, ".", literal=True)
            return pl.when(plain.cast(pl.Float64, strict=False).is_not_null()).then(plain)
        if self.kind == "date":
            dates = [bare.str.to_date(form, strict=False) for form in self.formats]
            return pl.coalesce(dates).dt.to_string("%Y-%m-%d")
        moments = [
            bare.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
            if "%z" in form
            else bare.str.to_datetime(form, strict=False, time_unit="us")
            # An hour that the spring change leaves out names no moment; one that comes twice is taken as the first.
            .dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
            .dt.convert_time_zone("UTC")
            for form in self.formats
        ]
        return pl.coalesce(moments).dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")


@dataclass(frozen=True)
class Translate(_Raw):
    """Values that stand for others."""

    values: tuple[tuple[object, object], ...]

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, self.columns, "translate")
        made = {}
        for name in self.columns:
            text = rows.schema[name] == pl.String
            value = pl.col(name)
            for old, new in self.values:
                if isinstance(new, str) and not text:
                    continue  # a column of numbers does not become one of texts
                same = (pl.col(name) if text else pl.col(name).cast(pl.String)) == str(old)
                kept = pl.lit(str(new) if text and new is not None else new)
                value = pl.when(same.fill_null(value=False)).then(kept).otherwise(value)
            made[name] = value
        return replaced(rows, made, "translate")


@dataclass(frozen=True)
class Unit(_Plain):
    """Numbers of one unit as numbers of another: ``value * factor + offset``."""

    columns: tuple[str, ...]
    factor: float
    offset: float
    words: str
    where: pl.Expr | None = None

    @property
    def meaning(self) -> object:
        """All settings."""
        where = digest_bytes(self.where.meta.serialize()) if self.where is not None else None
        return [self.columns, self.factor, self.offset, where]

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, self.columns, self.words)
        made = {}
        for name in self.columns:
            value = number(rows, name)
            where = value.is_not_null() if self.where is None else value.is_not_null() & self.where
            made[name] = written(rows, name, value * self.factor + self.offset, where)
        return replaced(rows, made, self.words)


@dataclass(frozen=True)
class Cap(_Plain):
    """Numbers beyond a bound become the bound."""

    columns: tuple[str, ...]
    low: float | None
    high: float | None

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, self.columns, "cap")
        made = {}
        for name in self.columns:
            value = number(rows, name)
            column = pl.col(name)
            for bound, low in ((self.low, True), (self.high, False)):
                if bound is not None:
                    beyond = value < bound if low else value > bound
                    kept = pl.lit(str(bound)) if rows.schema[name] == pl.String else pl.lit(bound)
                    column = pl.when(beyond.fill_null(value=False)).then(kept).otherwise(column)
            made[name] = column.cast(rows.schema[name], strict=False) if rows.schema[name].is_integer() else column
        return replaced(rows, made, "cap")


@dataclass(frozen=True)
class Fill(_Plain):
    """Missing values become a constant."""

    values: tuple[tuple[str, object], ...]

    def apply(self, rows: pl.DataFrame, tables: Tables) -> Changed:  # noqa: ARG002 - of Step
        """As of :class:`~drivetrain.data.cleaning.step.Step`."""
        require(rows, tuple(name for name, _ in self.values), "fill")
        made = {
            name: pl.col(name).fill_null(str(value) if rows.schema[name] == pl.String else pl.lit(value))
            for name, value in self.values
        }
        return replaced(rows, made, "fill")
