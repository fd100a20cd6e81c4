"""Which script a text is written in: what tells a change of language cheaply, where it changes the letters."""

from __future__ import annotations

import polars as pl

SCRIPTS = (
    "Latin", "Cyrillic", "Han", "Arabic", "Devanagari", "Greek", "Hebrew", "Hangul", "Hiragana", "Katakana", "Thai",
)  # fmt: skip
"""Names of Unicode's scripts (Unicode Standard Annex 24)."""
_READ = 1_000


def script_of(texts: pl.Series) -> pl.Series:
    """The script of most letters of each text: a name, ``other``, ``none`` without letters, ``empty``; null of null.

    Of a text the first thousand characters are read.

    Example:
        >>> script_of(pl.Series(["win a prize", "привет", "12", "", None])).to_list()
        ['Latin', 'Cyrillic', 'none', 'empty', None]
    """
    read = pl.col("text").str.slice(0, _READ)
    counted = (
        texts.rename("text")
        .to_frame()
        .select(
            read.str.count_matches(r"\p{L}").alias("letters"),
            (pl.col("text").str.strip_chars() == "").alias("empty"),
            *(read.str.count_matches(rf"\p{{{name}}}").alias(name) for name in SCRIPTS),
        )
    )
    most = pl.max_horizontal(SCRIPTS)
    named = pl.lit("other")
    for name in reversed(SCRIPTS):
        named = pl.when((pl.col(name) == most) & (most > 0)).then(pl.lit(name)).otherwise(named)
    found = (
        pl.when(pl.col("empty"))
        .then(pl.lit("empty"))
        .when(pl.col("letters") == 0)
        .then(pl.lit("none"))
        .when(pl.col("letters").is_not_null())
        .then(named)
    )
    return counted.select(found.alias("script"))["script"]
