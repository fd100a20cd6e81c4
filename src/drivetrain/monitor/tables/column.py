"""One column of a window, beside the same column of windows before: nulls, infinities, range, categories, constancy."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec.structs import replace

from drivetrain.core.records import ColumnSeen, Field, Usual
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.column import Column, column_of
from drivetrain.monitor.tables.spans import LEAST, Places
from drivetrain.monitor.tables.usual import Bounds, usual

Type: TypeAlias = Literal["number", "boolean", "category", "counted"]

NAMED = 0.01
"""A category of a smaller share is not named."""
_NAMES = 5
_CODES = 200
"""Categories that are told apart, the commonest of the reference; all others are one."""
_FAR = 0.5
_BEYOND = 0.01
_INFINITE = 0.001
_STEADY = 0.95
_FEW = 20
_OTHERS = "others"
_VALUE, _ROWS = "value", "rows"


class Lying(NamedTuple):
    """Where rows lie: all that columns share.

    Attributes:
        windows: Number of the window before, -1 for none; shape (rows,).
        many: How many windows before there are.
        now: Whether a row is of the window itself, shape (rows,).
        days: Day of each row of the reference, from 0 on; shape (rows of the reference,).
        length: How many days those are.
        alpha: Probability of a false word that a rule on a column may have.
        least: Smallest change of a share worth a word.
    """

    windows: Places
    many: int
    now: npt.NDArray[np.bool_]
    days: npt.NDArray[np.intp]
    length: int
    alpha: float
    least: float


class Measured(NamedTuple):
    """What there is of one column.

    Attributes:
        seen: What the report keeps.
        reference: The reference by day, for drift; none where that says nothing.
        values: The window's values, encoded as the reference's are.
    """

    seen: ColumnSeen
    reference: Column | None = None
    values: Floats = np.empty(0)


def type_of(dtype: pl.DataType) -> Type:
    """What a column is looked at as.

    Example:
        >>> type_of(pl.Int64()), type_of(pl.Date())
        ('number', 'counted')
    """
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    return "category" if dtype in (pl.String, pl.Categorical, pl.Enum) else "counted"


def measure(column: pl.Series, lying: Lying, *, masked: bool, drifts: bool) -> Measured:
    """Looks at a column.

    Args:
        column: Its values, shape (rows,).
        lying: Where the rows lie.
        masked: Whether no value of it may be kept.
        drifts: Whether it is held against the reference by day, too.
    """
    kind = type_of(column.dtype)
    null = column.is_null().to_numpy()
    bare = ColumnSeen(
        name=column.name,
        dtype=str(column.dtype),
        type=kind,
        masked=masked,
        nulls=_share(null, lying, below=True),
    )
    if kind == "counted":
        return Measured(bare)
    if kind == "category":
        return _category(column.cast(pl.String), bare, lying, drifts=drifts)
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if column.dtype.is_float():
        null = null | np.isnan(values)
        bare = replace(bare, nulls=_share(null, lying, below=True))
    return _number(values, bare, lying, drifts=drifts)


def _number(values: Floats, bare: ColumnSeen, lying: Lying, *, drifts: bool) -> Measured:
    now, then = values[lying.now], values[~lying.now]
    here, there = now[np.isfinite(now)], then[np.isfinite(then)]
    seen = replace(bare, infinite=_share(np.isinf(values), lying, below=False, least=_INFINITE))
    runs = len(there) > 0 and _runs(then, lying)
    if len(here) and len(there):
        low, high = float(there.min()), float(there.max())
        room = _FAR * (high - low)
        outside = float(((here < low - room) | (here > high + room)).mean())
        told = lying.many >= LEAST and not runs and outside > _BEYOND
        seen = replace(seen, outside=outside if told else 0.0)
        if not bare.masked:
            seen = replace(seen, low=float(here.min()), high=float(here.max()), reference_low=low, reference_high=high)
    seen = replace(seen, constant=len(here) >= _FEW and bool((here == here[0]).all()) and _moved(values, lying))
    if not drifts or not len(there):
        return Measured(seen)
    if runs:
        return Measured(replace(seen, note="its values run with time, so that every window is unlike those before"))
    return Measured(seen, _reference(Field(bare.name, "number"), then, lying), now)


def _category(column: pl.Series, bare: ColumnSeen, lying: Lying, *, drifts: bool) -> Measured:
    then = column.filter(~lying.now)
    known = _commonest(then)[_VALUE].to_list()
    seen = bare
    if known:
        seen = replace(seen, unseen=_unseen(column, lying), new=() if bare.masked else _new(column, known, lying))
    now = column.filter(lying.now).drop_nulls()
    codes = {name: code for code, name in enumerate(sorted(known[:_CODES]))}
    encoded = column.replace_strict(codes, default=len(codes), return_dtype=pl.Int64)
    values = encoded.cast(pl.Float64).set(column.is_null(), None).fill_null(float("nan")).to_numpy()
    seen = replace(seen, constant=len(now) >= _FEW and now.n_unique() == 1 and _moved(values, lying))
    if not drifts or not known:
        return Measured(seen)
    field = Field(bare.name, "category", (*codes, _OTHERS))
    return Measured(seen, _reference(field, values[~lying.now], lying), values[lying.now])


def _reference(field: Field, values: Floats, lying: Lying) -> Column:
    return column_of(field, np.ascontiguousarray(values), lying.days, lying.length)


def _share(mask: npt.NDArray[np.bool_], lying: Lying, *, below: bool, least: float | None = None) -> Usual:
    now, before = _shares(mask, lying)
    asked = Bounds("share", lying.least if least is None else least, lying.alpha, below)
    return usual(now, before, float(lying.now.sum()), asked)


def _shares(mask: npt.NDArray[np.bool_], lying: Lying) -> tuple[float, list[float]]:
    rows = np.bincount(lying.windows + 1, minlength=lying.many + 1)[1:]
    found = np.bincount(lying.windows + 1, mask, minlength=lying.many + 1)[1:]
    return float(mask[lying.now].mean()) if lying.now.any() else 0.0, (found[rows > 0] / rows[rows > 0]).tolist()


def _unseen(column: pl.Series, lying: Lying) -> Usual:
    """Share of categories that no other window has: of the window, and of each window before, held out in turn."""
    names = column.drop_nulls().unique()
    code = column.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(len(names)).to_numpy()
    where = np.where(lying.now, lying.many + 1, lying.windows + 1)  # 0 is the rest of the reference
    there = np.zeros((len(names) + 1, lying.many + 2), np.bool_)
    there[code, where] = True
    held = there[:, : lying.many + 1].sum(axis=1)
    alone = held[code] <= np.where(lying.now, 0, 1)
    alone &= (code < len(names)) & (lying.now | (lying.windows >= 0))
    return _share(alone, lying, below=False)


def _new(column: pl.Series, known: list[str], lying: Lying) -> tuple[str, ...]:
    now = column.filter(lying.now)
    often = _commonest(now).filter(pl.col(_ROWS) >= NAMED * max(len(now), 1))
    seen = set(known)
    return tuple(name for name in often[_VALUE].to_list() if name not in seen)[:_NAMES]


def _commonest(column: pl.Series) -> pl.DataFrame:
    """Its values and how many rows have each, the commonest first; the column may have any name."""
    return column.drop_nulls().alias(_VALUE).value_counts(sort=True, name=_ROWS)


def _moved(values: Floats, lying: Lying) -> bool:
    """Whether there were windows enough before, and in none of them a value made up nearly all."""
    for window in range(lying.many):
        there = values[lying.windows == window]
        there = there[np.isfinite(there)]
        if len(there) < _FEW or np.unique(there, return_counts=True)[1].max() > _STEADY * len(there):
            return False
    return lying.many >= LEAST


def _runs(values: Floats, lying: Lying) -> bool:
    """Whether values only grow, or only fall, from day to day, as a running number does."""
    finite = np.isfinite(values)
    rows = np.bincount(lying.days, finite, minlength=lying.length)
    whole = np.bincount(lying.days, np.where(finite, values, 0.0), minlength=lying.length)
    steps = np.diff(whole[rows > 0] / rows[rows > 0])
    return len(steps) >= _FEW and bool((steps > 0).all() or (steps < 0).all())
