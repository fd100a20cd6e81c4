"""Who is told apart: the values of protected attributes, and of several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.errors import UsageError
from drivetrain.evaluate.naming import named
from drivetrain.evaluate.slices import MISSING, OTHERS

MOST_GROUPS = 40
"""Groups of an attribute, or of several together, that are told apart; the smallest are one group."""
MOST_NUMBERS = 12
"""A number with more values than these is cut at its quintiles."""
_QUINTILES = (0.2, 0.4, 0.6, 0.8)
_WHOLE = 1e-6


@dataclass(frozen=True)
class Protected:
    """An attribute whose groups the data are looked at by, with the shares that its groups have in the population.

    Args:
        name: A feature of the model by its full name, a field of the request, or a column of the label's table: the
            model need not read it.
        shares: Value → share of the population, as far as it is known; at most 1 together.

    Example:
        >>> Protected("origin", shares={"EWR": 0.4, "JFK": 0.3, "LGA": 0.3}).name
        'origin'
    """

    name: str
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks the shares at the door."""
        numbers = all(map(_is_number, self.shares))
        told = named(pl.Series([*self.shares], dtype=pl.Float64)) if numbers else self.shares
        shares = {str(value): float(share) for value, share in zip(told, self.shares.values(), strict=True)}
        if any(not 0.0 <= share <= 1.0 for share in shares.values()) or sum(shares.values()) > 1.0 + _WHOLE:
            raise UsageError(
                f"the shares of {self.name!r} are no shares of one population",
                found=", ".join(f"{value} {share:g}" for value, share in shares.items()),
                expected="numbers from 0 to 1 that add up to 1 at most",
            )
        object.__setattr__(self, "shares", MappingProxyType(shares))

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.shares.items())))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True, eq=False)
class Grouping:
    """One way to tell rows apart.

    Attributes:
        attributes: The protected attributes it goes by.
        values: Their values in each group: the largest group first, or a number's fifths in order.
        codes: Group of each row, shape (n,).
    """

    attributes: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: npt.NDArray[np.intp]

    def named(self, at: int) -> dict[str, str]:
        """Attribute → value, of a group."""
        return dict(zip(self.attributes, self.values[at], strict=True))


@dataclass(frozen=True, eq=False)
class Hiding:
    """Whom a report must not single out.

    Attributes:
        attributes: Those whose values are personal.
        counted: Which rows are counted in the report, shape (n,).
        least: Fewer of them are no group of their own, where such an attribute is among what it goes by.
    """

    attributes: frozenset[str]
    counted: npt.NDArray[np.bool_]
    least: int

    def few(self, attributes: Sequence[str]) -> int:
        """How many rows a group by these attributes must have."""
        return self.least if self.attributes.intersection(attributes) else 0


def groupings(columns: pl.DataFrame, protected: Sequence[Protected], hiding: Hiding | None = None) -> list[Grouping]:
    """Every attribute alone, every pair, and all together where there are more than two.

    Args:
        columns: The attributes, n rows.
        protected: Which of them, in order. Values that are declared to have a share are groups even without rows.
        hiding: Whom to put among the others; nobody if none.
    """
    hiding = hiding or Hiding(frozenset(), np.ones(len(columns), np.bool_), 0)
    told, made = [], []
    for each in protected:
        texts, in_order = _told(columns.get_column(each.name), each)
        told.append(texts)
        made.append(_grouping((each.name,), [texts], hiding, sorted(each.shares), in_order))
    together: list[tuple[int, ...]] = list(combinations(range(len(protected)), 2))
    if len(protected) > 2:
        together.append(tuple(range(len(protected))))
    made += [
        _grouping(tuple(protected[at].name for at in chosen), [told[at] for at in chosen], hiding)
        for chosen in together
    ]
    return made


def _told(column: pl.Series, protected: Protected) -> tuple[pl.Series, list[str]]:
    """The attribute as text; a number of many values as the fifth it lies in, and the fifths in order."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype.is_numeric() and not protected.shares and column.n_unique() > MOST_NUMBERS:
        return _fifths(column.cast(pl.Float64))
    text = named(column).fill_null(MISSING)
    counts = text.alias("value").value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
    kept = [*counts.get_column("value").head(MOST_GROUPS), *protected.shares]
    return pl.select(pl.when(text.is_in(kept)).then(text).otherwise(pl.lit(OTHERS))).to_series(), []


def _fifths(column: pl.Series) -> tuple[pl.Series, list[str]]:
    known = column.drop_nulls()
    cuts = sorted({cut for share in _QUINTILES if (cut := known.quantile(share, "lower")) is not None})
    # The least and the greatest value are somebody's own.
    middle = [f"over {low:g} to {high:g}" for low, high in pairwise(cuts)]
    names = [f"up to {cuts[0]:g}", *middle, f"over {cuts[-1]:g}"]
    place = np.searchsorted(np.array(cuts), column.fill_null(0.0).to_numpy(), side="left")
    texts = pl.Series(names).gather(place)
    told = pl.select(pl.when(column.is_not_null()).then(texts).otherwise(pl.lit(MISSING))).to_series()
    return told, [*names, MISSING, OTHERS]


def _grouping(
    attributes: tuple[str, ...],
    texts: Sequence[pl.Series],
    hiding: Hiding,
    declared: Sequence[str] = (),
    in_order: Sequence[str] = (),
) -> Grouping:
    frame = pl.DataFrame([text.alias(str(at)) for at, text in enumerate(texts)])
    counted = frame.with_columns(counted=hiding.counted)
    sizes = counted.group_by(frame.columns).agg(rows=pl.len(), counted=pl.sum("counted"))
    sizes = sizes.sort(["rows", *frame.columns], descending=[True, *[False] * frame.width])
    shown = sizes.filter((pl.col("counted") >= hiding.few(attributes)) | pl.col("0").is_in(declared))
    values: list[tuple[str, ...]] = shown.select(frame.columns).rows()
    values += [(value,) for value in declared if (value,) not in values]
    most = MOST_GROUPS if len(attributes) > 1 else len(values)
    rest = (OTHERS,) * len(attributes)
    if len(values) > most or len(shown) < len(sizes):
        values = [*(value for value in values[:most] if value != rest), rest]
    if in_order:
        values.sort(key=lambda value: in_order.index(value[0]))
    places = pl.DataFrame(values, schema=dict.fromkeys(frame.columns, pl.String), orient="row").with_row_index("place")
    found = frame.join(places, on=frame.columns, how="left", maintain_order="left").get_column("place")
    return Grouping(attributes, tuple(values), found.fill_null(len(values) - 1).cast(pl.Int64).to_numpy())
