"""Files that are empty, cut off, broken, or something else than their name says."""

from __future__ import annotations

import gzip
import io
import json

from drivetrain.testing.damage.kind import Delivery, Dice, Good, csv_of, of_files

_BYTES = "bytes of the file"
_READER = "the reader: format"


@of_files("an empty file", "the file has no byte", where="the file", caught="refused", by="the reader: header")
def nothing(good: Good, _dice: Dice) -> Delivery:
    """Nothing at all."""
    return Delivery({f"{good.name}.csv": b""}, 0)


@of_files("an empty delivery", "a header and no rows", where="rows", caught="refused", by="fewest rows")
def no_rows(good: Good, _dice: Dice) -> Delivery:
    """A query that found nothing."""
    return Delivery({f"{good.name}.csv": csv_of(good.rows.clear())}, 0)


@of_files("truncated Parquet", "the second half of the file is missing", where=_BYTES, caught="refused", by=_READER)
def truncated(good: Good, _dice: Dice) -> Delivery:
    """Its footer is gone."""
    made = _parquet(good)
    return Delivery({f"{good.name}.parquet": made[: len(made) // 2]})


@of_files("a broken footer", "Parquet with noise where the footer is", where=_BYTES, caught="refused", by=_READER)
def footer(good: Good, dice: Dice) -> Delivery:
    """Its length is right, and its content is noise."""
    made = bytearray(_parquet(good))
    size = int.from_bytes(made[-8:-4], "little")
    made[-8 - size : -8] = dice.randbytes(size)
    return Delivery({f"{good.name}.parquet": bytes(made)})


@of_files("a broken page", "Parquet with noise in the middle", where=_BYTES, caught="refused", by=_READER)
def page(good: Good, dice: Dice) -> Delivery:
    """Its footer is right, and some of its values are noise."""
    made = bytearray(_parquet(good))
    middle = len(made) // 3
    made[middle : middle + 512] = dice.randbytes(512)
    return Delivery({f"{good.name}.parquet": bytes(made)})


@of_files(
    "a half-written file", "CSV that ends in the middle of a row", where=_BYTES, caught="refused",
    by="span of a delivery",
)  # fmt: skip
def half(good: Good, _dice: Dice) -> Delivery:
    """Its writer died."""
    made = csv_of(good.rows)
    return Delivery({f"{good.name}.csv": made[: len(made) // 2]})


@of_files(
    "gzip cut off",
    "the second half of a .csv.gz is missing",
    where=_BYTES,
    caught="refused",
    by="the reader: unpacking",
)
def unfinished(good: Good, _dice: Dice) -> Delivery:
    """A transfer that broke off."""
    made = gzip.compress(csv_of(good.rows), mtime=0)
    return Delivery({f"{good.name}.csv.gz": made[: len(made) // 2]})


@of_files(
    "gzip with a flipped bit",
    "one bit of a .csv.gz is another",
    where=_BYTES,
    caught="refused",
    by="the reader: unpacking",
)
def flipped(good: Good, _dice: Dice) -> Delivery:
    """A disk that fails."""
    made = bytearray(gzip.compress(csv_of(good.rows), mtime=0))
    made[len(made) // 2] ^= 1
    return Delivery({f"{good.name}.csv.gz": bytes(made)})


@of_files("CSV named .parquet", "the name says another format", where="the file's name", caught="refused", by=_READER)
def misnamed(good: Good, _dice: Dice) -> Delivery:
    """Text that should be columns."""
    return Delivery({f"{good.name}.parquet": csv_of(good.rows)})


@of_files("Parquet named .csv", "the name says another format", where="the file's name", caught="refused", by=_READER)
def binary(good: Good, _dice: Dice) -> Delivery:
    """Columns that should be text."""
    return Delivery({f"{good.name}.csv": _parquet(good)})


@of_files("a page of HTML", "an error page is saved as CSV", where="the file", caught="refused", by=_READER)
def page_of_html(good: Good, _dice: Dice) -> Delivery:
    """A server that said no, kindly."""
    text = "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head>\n<body>Try later</body></html>\n"
    return Delivery({f"{good.name}.csv": text.encode()})


@of_files("an error in JSON", "the answer of an API is saved as CSV", where="the file", caught="refused", by=_READER)
def answer(good: Good, _dice: Dice) -> Delivery:
    """A server that said no."""
    return Delivery({f"{good.name}.csv": json.dumps({"error": "token expired", "code": 401}).encode()})


@of_files(
    "a file of another source",
    "flights come as weather",
    of="weather",
    where="the file",
    caught="refused",
    by="columns that are there",
)
def elsewhere(good: Good, _dice: Dice) -> Delivery:
    """The right file in the wrong folder."""
    return Delivery({f"{good.name}.csv": csv_of(good.other)}, good.other.height)


@of_files(
    "zeros at the end",
    "the last fifth of the file is zero bytes",
    where=_BYTES,
    caught="set aside",
    by="the reader: rows",
)
def zeros(good: Good, _dice: Dice) -> Delivery:
    """A file whose room was taken and never filled."""
    made = csv_of(good.rows)
    cut = 4 * len(made) // 5
    return Delivery({f"{good.name}.csv": made[:cut] + bytes(len(made) - cut)})


def _parquet(good: Good) -> bytes:
    made = io.BytesIO()
    good.rows.write_parquet(made)
    return made.getvalue()
