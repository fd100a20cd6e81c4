"""Derived views: features made from other features, such as the ratio of two windows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import polars as pl

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.features.expression import check_row_wise, expression_digest, in_words, select_rows
from drivetrain.features.request import TYPES, RequestFeatures
from drivetrain.features.view import FeatureView

Group: TypeAlias = "FeatureView | RequestFeatures | DerivedView"
"""Whatever makes features, under full names."""
Computed: TypeAlias = "RequestFeatures | DerivedView"
"""What makes features from a frame, instead of from a table."""

_TYPES = (pl.Float64(), pl.String(), pl.Boolean())
_TRIALS = 729
_ANY_TYPE = frozenset({"last", "top"})
"""Kinds whose features may be of any of these types; those of others are numbers."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DerivedView:
    """Features computed, row by row, from features of other views, features of the request, and request fields.

    They are computed from what those features are at the moment of the request: in a training set from its columns,
    online from what was just looked up. Numbers that are null are null in expressions, never NaN.

    Attributes:
        name: Its name in the project.
        of: Views, request features and derived views whose features expressions may read, by full name.
        expressions: Row expressions, each named with ``.alias()``.
        inputs: Request field that expressions may read → its type: ``string``, ``int``, ``float``, ``bool``, ``time``
            or ``date``.
        description: For people.
        owner: Whom to ask.

    Raises:
        ProjectError: It can't be as declared.
    """

    name: str
    of: tuple[Group, ...]
    expressions: tuple[pl.Expr, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    owner: str = ""

    _repr_html_ = shown

    def __post_init__(self) -> None:
        unknown = {column: type_ for column, type_ in self.inputs.items() if type_ not in TYPES}
        if unknown:
            raise ProjectError(f"view {self.name!r} has inputs of unknown types", found=unknown, expected=sorted(TYPES))
        if not self.expressions:
            raise ProjectError(f"view {self.name!r} has no features")
        for expr in self.expressions:
            if not isinstance(expr, pl.Expr):
                raise ProjectError(
                    f"view {self.name!r} is made of other views, by something that is no expression",
                    found=repr(expr),
                    do="Write Polars expressions over full feature names, such as pl.col('card.mean_amount_1d') / 2",
                )
            self._check(expr)
        names = [expr.meta.output_name() for expr in self.expressions]
        if len(set(names)) < len(names):
            raise ProjectError(f"view {self.name!r} makes features of the same name", found=names, do="Use .alias()")
        _ = self.types

    def _check(self, expr: pl.Expr) -> None:
        if expr.meta.has_multiple_outputs() or "." in expr.meta.output_name():
            raise ProjectError(
                f"view {self.name!r} has a feature without a name of its own", found=str(expr), do="Use .alias('name')"
            )
        check_row_wise(expr, f"feature {self.name}.{expr.meta.output_name()}")
        known = [*(name for group in self.of for name in group.feature_names), *self.inputs]
        missing = sorted(set(expr.meta.root_names()) - set(known))
        if missing:
            raise ProjectError(
                f"feature {self.name}.{expr.meta.output_name()} reads what is not there",
                found=", ".join(missing),
                expected=f"features of the views in of=, or fields in inputs=: {', '.join(known) or 'there are none'}",
            )

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Full names, ``view.feature``, in order."""
        return tuple(f"{self.name}.{expr.meta.output_name()}" for expr in self.expressions)

    @cached_property
    def named(self) -> tuple[pl.Expr, ...]:
        """The expressions under the features' full names."""
        return tuple(expr.alias(name) for expr, name in zip(self.expressions, self.feature_names, strict=True))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Full names of the features that are read, and request fields, each once."""
        return tuple(dict.fromkeys(name for expr in self.expressions for name in expr.meta.root_names()))

    @cached_property
    def parents(self) -> tuple[Group, ...]:
        """Those of ``of`` whose features are read."""
        read = frozenset(self.reads)
        return tuple(group for group in self.of if read & set(group.feature_names))

    @cached_property
    def feature_digests(self) -> dict[str, Digest]:
        """Full name → digest of that feature's meaning alone: what it computes, and of what."""
        meanings: dict[str, object] = dict(self.inputs)
        for group in self.parents:
            if isinstance(group, RequestFeatures):
                meanings |= dict.fromkeys(group.feature_names, group.digest)
            else:
                meanings |= group.feature_digests
        return {
            name: digest([expression_digest(expr), [[read, meanings[read]] for read in sorted(expr.meta.root_names())]])
            for name, expr in zip(self.feature_names, self.expressions, strict=True)
        }

    @cached_property
    def digest(self) -> Digest:
        """Digest of what is computed; of the views behind it only the features that are read count."""
        return digest([[name, of] for name, of in self.feature_digests.items()])

    def words(self) -> dict[str, str]:
        """Full name → what the feature is, in plain words."""
        return {
            name: f"{in_words(expr)}, at the moment of the request"
            for name, expr in zip(self.feature_names, self.expressions, strict=True)
        }

    def evaluate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The features, one row each, in order, by full name.

        Args:
            frame: A column for each feature that is read, by full name, and for each field; fields are cast to the
                inputs' types.

        Raises:
            FeatureError: A column is missing or of another type, or an expression fails.
        """
        missing = sorted(set(self.reads) - set(frame.columns))
        if missing:
            raise FeatureError(f"view {self.name!r} lacks features", found=sorted(frame.columns), expected=missing)
        try:
            typed = frame.with_columns(
                pl.col(name).cast(TYPES[self.inputs[name]]) for name in self.reads if name in self.inputs
            )
            return select_rows(typed, self.named)
        except pl.exceptions.PolarsError as error:
            raise FeatureError(
                f"view {self.name!r} can't be computed: {(str(error).splitlines() or [''])[0]}"
            ) from error

    def column(self, name: str, values: Sequence[object]) -> pl.Series:
        """Values of a feature that were looked up online, as :meth:`evaluate` reads them.

        Args:
            name: The feature's full name.
            values: Numbers, texts or booleans; ``None`` or NaN for null.
        """
        present, dtype = looked_up(values, self.types[name])
        return pl.Series(name, present, dtype=dtype)

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Types of the features; of such as repeat a looked-up value, one that it may have."""
        return dict(zip(self.feature_names, self._compute(self.types).dtypes, strict=True))

    @cached_property
    def types(self) -> dict[str, pl.DataType]:
        """What is read → a type from which the expressions can be computed."""
        choices = [[TYPES[self.inputs[name]]] if name in self.inputs else self._choices(name) for name in self.reads]
        refused: Exception | None = None
        for types in itertools.islice(itertools.product(*choices), _TRIALS):
            tried = dict(zip(self.reads, types, strict=True))
            try:
                self._compute(tried)
            except pl.exceptions.PolarsError as error:
                refused = refused or error
            else:
                return tried
        raise ProjectError(
            f"view {self.name!r} can't be computed: {(str(refused).splitlines() or [''])[0]}",
            do="Check its expressions; counts and other aggregates are numbers",
        )

    def _compute(self, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        return pl.DataFrame(schema=dict(types)).select(self.expressions)

    def _choices(self, name: str) -> Sequence[pl.DataType]:
        """Types that a feature of another view may have."""
        group = next(group for group in self.parents if name in group.feature_names)
        if isinstance(group, FeatureView):
            kind = group.columns[group.feature_names.index(name)].kind
            return _TYPES if kind in _ANY_TYPE else _TYPES[:1]
        return [group.schema[name]]


def looked_up(values: Iterable[object], unknown: pl.DataType) -> tuple[list[object], pl.DataType]:
    """Values of a feature that was looked up, as expressions read them, and their type.

    Args:
        values: Numbers, texts or booleans; ``None`` or NaN for null.
        unknown: The type where all are null: one that the expressions can read.
    """
    present = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN, whatever its type
    given = next((value for value in present if value is not None), None)
    return present, unknown if given is None else _type_of(given)


def read_by(groups: Sequence[Group]) -> tuple[Group, ...]:
    """Groups of features and all that they are made from, each once, every one after what it reads."""
    return tuple(dict.fromkeys(one for group in groups for one in _behind(group)))


def _behind(group: Group) -> Iterator[Group]:
    if isinstance(group, DerivedView):
        for parent in group.parents:
            yield from _behind(parent)
    yield group


def _type_of(value: object) -> pl.DataType:
    if isinstance(value, bool):
        return pl.Boolean()
    return pl.String() if isinstance(value, str) else pl.Float64()
