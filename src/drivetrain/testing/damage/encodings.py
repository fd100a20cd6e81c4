"""Bytes that are not the UTF-8 they should be, and letters that should not be there."""

from __future__ import annotations

import polars as pl

from drivetrain.testing.damage.kind import Dice, Good, changed, everywhere, of_rows, of_text, some


@of_text(
    "Latin-1",
    "1 % of the registrations have an umlaut, and the file is in Latin-1",
    where="bytes of tailnum",
    caught="set aside",
    by="the reader: rows",
)
def latin(_text: str, good: Good, dice: Dice) -> bytes:
    """One byte a letter."""
    rows = changed(good.rows, some(good.rows, dice, 0.01), tailnum="NÜ123")
    return rows.write_csv().encode("latin-1")


@of_text("UTF-16", "the file is in UTF-16", where="bytes of the file", caught="refused", by="the reader: format")
def utf16(text: str, _good: Good, _dice: Dice) -> bytes:
    """Two bytes a letter."""
    return text.encode("utf-16")


@of_text("byte order mark", "the file begins with a mark", where="bytes of the file", caught="undone", by="the reader")
def mark(text: str, _good: Good, _dice: Dice) -> bytes:
    """As spreadsheets write UTF-8."""
    return text.encode("utf-8-sig")


@of_rows(
    "mojibake",
    "1 % of the registrations were read in another encoding: NÃ¼123",
    where="tailnum",
    caught="set aside",
    by="pattern",
)
def mojibake(good: Good, dice: Dice) -> pl.DataFrame:
    """UTF-8 that was taken for Latin-1."""
    return changed(good.rows, some(good.rows, dice, 0.01), tailnum="Nü123".encode().decode("latin-1"))


@of_rows("NUL bytes", "1 % of the registrations have a NUL byte", where="tailnum", caught="set aside", by="pattern")
def nul(good: Good, dice: Dice) -> pl.DataFrame:
    """A byte that ends text in C."""
    return changed(good.rows, some(good.rows, dice, 0.01), tailnum=pl.col("tailnum") + "\0")


@of_rows(
    "control characters",
    "1 % of the registrations have a bell in them",
    where="tailnum",
    caught="set aside",
    by="pattern",
)
def controls(good: Good, dice: Dice) -> pl.DataFrame:
    """What no screen shows."""
    return changed(good.rows, some(good.rows, dice, 0.01), tailnum=pl.lit("N\a") + pl.col("tailnum").str.slice(1))


@of_rows(
    "letters that look alike",
    "1 % of the airports are written with a Cyrillic letter",
    where="origin",
    caught="set aside",
    by="set of values",
)
def lookalikes(good: Good, dice: Dice) -> pl.DataFrame:
    """Equal to the eye, other to the machine."""
    return changed(good.rows, some(good.rows, dice, 0.01), origin="ЈFK")  # noqa: RUF001 - the damage


@of_text("line ends of Windows", "lines end in CR LF", where="bytes of the file", caught="undone", by="the reader")
def returns(text: str, _good: Good, _dice: Dice) -> str:
    """Two bytes end a line."""
    return text.replace("\n", "\r\n")


@of_rows(
    "spaces that do not break", "numbers are led by U+00A0", where="distance", caught="undone", by="type of the column"
)
def spaces(good: Good, _dice: Dice) -> pl.DataFrame:
    """As copied from a web page."""
    return everywhere(good.rows, distance=pl.lit("\u00a0") + pl.col("distance"))
