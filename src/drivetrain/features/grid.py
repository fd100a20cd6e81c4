"""Grids of windows: every aggregate over every length, and how short windows stand to long ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, Unpack, get_args

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.features import aggregate
from drivetrain.features.aggregate import Aggregate, Asked
from drivetrain.features.expression import Expression
from drivetrain.features.view import FeatureView
from drivetrain.features.window import lengths_of, window_text

Measured: TypeAlias = Literal["count", "count_distinct", "sum", "mean", "min", "max", "std", "share"]

_MAKERS: dict[str, Callable[..., Aggregate]] = {name: getattr(aggregate, name) for name in get_args(Measured)}
_COMPARED = ("count", "sum", "mean", "min", "max", "std", "share", "distinct")


def grid(
    *values: Expression,
    of: Sequence[Measured] = ("mean", "max", "std", "count"),
    **asked: Unpack[Asked],
) -> list[Aggregate]:
    """Every aggregate of every value over every window, to put into a view's features with ``*``.

    A feature is named as it would be if it were declared alone: ``mean_arr_delay_7d``.

    Args:
        *values: Columns or row expressions.
        of: Which aggregates: ``mean``, ``max``, ``std``, ``count`` (of values that are not null), ``min``, ``sum``,
            ``share`` (of booleans), ``count_distinct``.
        **asked: ``windows``, such as ``["1d", "7d", "30d"]``, and ``where``, ``offset`` and ``hop``, as for any
            aggregate; see :class:`Asked`.

    Raises:
        ProjectError: There is nothing in it, or an aggregate of no such name.

    Example:
        >>> [made.stem for made in grid("arr_delay", windows=["1d", "7d"], of=["mean", "count"])]
        ['mean_arr_delay', 'count_arr_delay']
    """
    given = (of,) if isinstance(of, str) else tuple(of)
    lengths = lengths_of(asked.get("windows"))
    parts = (("a value", values), ("a window", lengths), ("an aggregate", given))
    lacking = [name for name, many in parts if not many]
    if lacking:
        raise ProjectError(
            f"a grid without {' and '.join(lacking)} makes no feature",
            do='For example: dt.grid("arr_delay", windows=["1d", "7d"], of=["mean", "count"])',
        )
    unknown = [name for name in given if name not in _MAKERS]
    if unknown:
        raise ProjectError(
            "a grid has aggregates that there are not", found=", ".join(map(repr, unknown)), expected=", ".join(_MAKERS)
        )
    if asked.get("name"):
        raise ProjectError("a grid names its features itself", found=f"name={asked.get('name')!r}", do="Leave it out")
    return [_MAKERS[name](value, **asked) for value in values for name in given]


def ratios(view: FeatureView, *stems: str) -> list[pl.Expr]:
    """Each shorter window over each longer one of the same aggregate, for a view that is made of other views.

    ``mean_arr_delay_1d_to_7d`` is ``mean_arr_delay_1d / mean_arr_delay_7d``; null where either is null, and where the
    longer is 0.

    Args:
        view: The view whose windows are compared.
        *stems: Which of its features, without their windows; all that are numbers over two windows or more by default.

    Raises:
        ProjectError: A name stands for no such feature, or no feature has two windows.

    Example:
        >>> from drivetrain.data.readers.rows import rows
        >>> from drivetrain.data.source import Source
        >>> from drivetrain.features.entity import Entity
        >>> flights = Source(name="flights", reader=rows(lambda seen: []), key=("id",), time="at")
        >>> plane = FeatureView(
        ...     name="plane", entity=Entity("plane", keys=["tail"]), source=flights,
        ...     features=tuple(grid("delay", windows=["1d", "7d"], of=["mean"])),
        ... )
        >>> [made.meta.output_name() for made in ratios(plane)]
        ['mean_delay_1d_to_7d']
    """
    known: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for name, feature in zip(view.feature_names, view.columns, strict=True):
        if feature.kind in _COMPARED:
            length = float("inf") if feature.window is None else float(feature.window)
            text = window_text(feature.window)
            stem = name.removeprefix(f"{view.name}.").removesuffix(f"_{text}")
            known[stem].append((length, text, name))
    several = {stem: sorted(found) for stem, found in known.items() if len(found) > 1}
    unknown = [stem for stem in stems if stem not in several]
    if unknown or not several:
        raise ProjectError(
            f"view {view.name!r} has no two windows to compare" + (f" of {', '.join(unknown)}" if unknown else ""),
            expected=f"one of {', '.join(several)}" if several else "an aggregate over two windows or more",
        )
    made = []
    for stem in stems or several:
        for at, (_, short, numerator) in enumerate(several[stem]):
            for _, long, denominator in several[stem][at + 1 :]:
                whole = pl.col(denominator)
                ratio = pl.when(whole != 0).then(pl.col(numerator) / whole)
                made.append(ratio.alias(f"{stem}_{short}_to_{long}"))
    return made
