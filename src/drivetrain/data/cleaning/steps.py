"""The steps that :func:`drivetrain.clean` takes.

Every step works on one batch, before its contract is checked. What they are given is fixed when they are declared:
none learns from the rows. A mean or a quantile of all rows would carry what is known later into rows that are trained
on earlier, and would differ with how rows are cut into batches. Values that must be learned (imputation by a median,
caps at a quantile) belong into the trainer, which sees training rows only; see docs/sources.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import polars as pl

from drivetrain.core.clock import duration
from drivetrain.core.errors import ProjectError
from drivetrain.data.cleaning.copies import Dedupe
from drivetrain.data.cleaning.merging import Merge
from drivetrain.data.cleaning.units import conversion
from drivetrain.data.cleaning.values import Cap, Fill, Parse, Translate, Trim, Unit
from drivetrain.data.source import Source

Scalar: TypeAlias = str | int | float | bool


def trim(*columns: str) -> Trim:
    """Takes white space from around texts, and makes that within single; an empty text becomes null."""
    return Trim(_some(columns, "trim"))


def parse(
    *columns: str,
    to: Literal["number", "time", "date"],
    formats: Sequence[str] = (),
    decimal: str = ".",
    thousands: str = "",
    affixes: Sequence[str] = (),
    zone: str = "UTC",
) -> Parse:
    """Reads texts that are written in another way than the contract's types are.

    A text that can't be read stays as it is: the contract then sets its row aside and shows it. Declare the columns
    there with the type they are to have.

    Args:
        *columns: The columns.
        to: ``number``, ``time`` or ``date``.
        formats: Of times and dates, tried in order, as ``strftime`` has them: ``"%d.%m.%Y %H:%M"``.
        decimal: The decimal mark.
        thousands: Every mark that parts thousands.
        affixes: What may stand before or behind a number and says nothing, such as ``["€", "EUR"]``. Whatever else does
            makes it no number: 12 miles are not 12 km.
        zone: The clock that times without an offset were read from, such as ``America/New_York``.

    Raises:
        ProjectError: A time or date has no format.
    """
    if to != "number" and not formats:
        raise ProjectError(f"a {to} can be written in many ways", do='Name them: formats=["%d.%m.%Y"]')
    return Parse(_some(columns, "parse"), to, tuple(formats), decimal, thousands, tuple(affixes), zone)


def translate(*columns: str, values: Mapping[Scalar, Scalar | None]) -> Translate:
    """Puts values in place of others: codes, misspellings, sentinels such as -999 (to ``None``)."""
    return Translate(_some(columns, "translate"), tuple(values.items()))


def unit(*columns: str, old: str, new: str, where: pl.Expr | None = None) -> Unit:
    """Converts numbers from one unit to another, in all rows or ``where`` an expression holds.

    Raises:
        ProjectError: A unit is unknown, or they measure different things.
    """
    factor, offset = conversion(old, new)
    return Unit(_some(columns, "unit"), factor, offset, f"{old} to {new}", where)


def cap(*columns: str, low: float | None = None, high: float | None = None) -> Cap:
    """Brings numbers beyond a bound to the bound.

    Raises:
        ProjectError: There is no bound.
    """
    if low is None and high is None:
        raise ProjectError("a cap needs a bound", do="Name low=, high=, or both")
    return Cap(_some(columns, "cap"), low, high)


def fill(**values: Scalar) -> Fill:
    """Puts a constant where a column has no value: ``fill(stops=0)``."""
    if not values:
        raise ProjectError("nothing is filled", do="Name a column and its constant: fill(stops=0)")
    return Fill(tuple(values.items()))


def dedupe(*by: str, time: str | None = None, within: str | int = 0, keep: Literal["first", "last"] = "last") -> Dedupe:
    """Leaves one of the rows that agree in ``by``, and lie ``within`` a span of each other where ``time`` is given.

    Only rows of one batch are compared; what the table holds is replaced by its key, as ever.
    """
    return Dedupe(_some(by, "dedupe"), time, duration(within), keep, near=False, digits=0)


def near_duplicates(
    *by: str,
    time: str | None = None,
    within: str | int = 0,
    keep: Literal["first", "last"] = "last",
    digits: int = 2,
) -> Dedupe:
    """As :func:`dedupe`, where texts agree but for case, accents, punctuation and spaces, and numbers to ``digits``."""
    return Dedupe(_some(by, "near_duplicates"), time, duration(within), keep, near=True, digits=digits)


def merge(
    source: Source,
    *,
    on: str | Sequence[str] | Mapping[str, str],
    columns: Sequence[str] | Mapping[str, str],
    as_of: str | None = None,
    tolerance: str | int | None = None,
) -> Merge:
    """Brings columns of another source's table. Rows without a match get nulls, and are counted.

    The other source has to stand in the ``uses`` of the one that is cleaned.

    Args:
        source: The other source.
        on: Columns that must agree; a mapping where they are called otherwise there.
        columns: What to bring; a mapping from there to here renames it.
        as_of: Column here with a moment: of several rows the newest counts that was *known* then, by the source's own
            ``time``, ``available`` and ``delay``.
        tolerance: How old it may be.

    Raises:
        ProjectError: The other source has no time to merge as of.
    """
    if as_of is not None and source.time is None:
        raise ProjectError(f"source {source.name!r} has no time to merge as of")
    if as_of is None and tolerance is not None:
        raise ProjectError("a tolerance is of a merge as of a time", do="Name the moment: as_of=")
    pairs = on.items() if isinstance(on, Mapping) else ((name, name) for name in ([on] if isinstance(on, str) else on))
    brought = columns.items() if isinstance(columns, Mapping) else ((name, name) for name in columns)
    return Merge(source, tuple(pairs), tuple(brought), as_of, None if tolerance is None else duration(tolerance))


def _some(columns: tuple[str, ...], step: str) -> tuple[str, ...]:
    if not columns:
        raise ProjectError(f"the step {step} is of no column", do="Name one")
    return columns
