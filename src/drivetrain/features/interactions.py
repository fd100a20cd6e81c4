"""Interactions: what pairs of features say together, as expressions for a view that is made of other views."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias, get_args

import polars as pl

from drivetrain.core.errors import ProjectError

Kind: TypeAlias = Literal["product", "ratio", "difference"]

MOST = 500
"""Features that one call makes at most: each is computed for every row, before any is chosen."""
_SEPARATOR = " × "
_MADE: dict[Kind, tuple[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "product": ("times", lambda one, other: one * 1.0 * other),  # as floats: no product of integers runs over
    "ratio": ("per", lambda one, other: pl.when(other != 0).then(one / other)),
    "difference": ("minus", lambda one, other: one - other),
}


def interactions(
    *,
    numbers: Sequence[str] = (),
    categories: Sequence[str] = (),
    kinds: Sequence[Kind] = ("product", "ratio", "difference"),
    most: int = MOST,
) -> list[pl.Expr]:
    """Products, ratios and differences of numbers, and crosses of categories, for every pair.

    They are row expressions, and so the same in a training set, online and in batches. A pair is taken in the order in
    which it is named: of ``a`` and ``b`` the ratio is ``a / b``, null where ``b`` is 0. A cross is the text of both
    with `` × `` between; null where either is null. Which of them are read is for :class:`drivetrain.Select` to find
    out, on rows that teach; those that it leaves out are not computed where the version answers.

    Args:
        numbers: Features that are numbers, by full name, and request fields.
        categories: Features that are text or booleans.
        kinds: What is made of a pair of numbers.
        most: How many features there may be.

    Returns:
        Expressions to be the ``features=`` of a view with ``of=``, named after both:
        ``amount_per_mean_amount_7d``; by full names where two would be called alike.

    Raises:
        ProjectError: There is no pair, a feature is named twice, a kind is unknown, or there would be too many.

    Example:
        >>> made = interactions(numbers=["order.amount", "history.mean_7d"], kinds=["ratio"])
        >>> [one.meta.output_name() for one in made]
        ['amount_per_mean_7d']
    """
    lists = {"numbers": numbers, "categories": categories}
    for word, given in lists.items():
        if isinstance(given, str):
            raise ProjectError("interactions need a list of features", found=f"{word}={given!r}")
    named = [*numbers, *categories]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise ProjectError("interactions name a feature twice", found=repr(twice), do="Name each once")
    unknown = [kind for kind in kinds if kind not in get_args(Kind)]
    if unknown:
        raise ProjectError(
            "interactions know no such kind", found=", ".join(map(repr, unknown)), expected=", ".join(get_args(Kind))
        )
    pairs = len(numbers) * (len(numbers) - 1) // 2 * len(kinds) + len(categories) * (len(categories) - 1) // 2
    if not pairs:
        raise ProjectError(
            "interactions need two features of a kind",
            found=f"{len(numbers)} numbers, {len(categories)} categories",
            expected="two numbers with a kind, or two categories",
        )
    if pairs > most:
        raise ProjectError(
            "so many interactions would be computed for every row", found=f"{pairs:,}", expected=f"at most {most:,}",
            do="Name fewer features or kinds, or allow more with most=",
        )  # fmt: skip
    return list(_made(numbers, categories, kinds, _short(named)))


def _made(
    numbers: Sequence[str], categories: Sequence[str], kinds: Sequence[Kind], short: dict[str, str]
) -> Iterator[pl.Expr]:
    for one, other in itertools.combinations(numbers, 2):
        for kind in kinds:
            word, make = _MADE[kind]
            yield make(pl.col(one), pl.col(other)).alias(f"{short[one]}_{word}_{short[other]}")
    for one, other in itertools.combinations(categories, 2):
        yield pl.concat_str(pl.col(one), pl.col(other), separator=_SEPARATOR).alias(f"{short[one]}_with_{short[other]}")


def _short(names: Sequence[str]) -> dict[str, str]:
    """Full name → what it is called in a pair: without its view, where no other is called so."""
    plain = [name.rpartition(".")[2] for name in names]
    return {
        name: short if plain.count(short) == 1 else name.replace(".", "_")
        for name, short in zip(names, plain, strict=True)
    }
