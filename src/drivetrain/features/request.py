"""Features of the request itself: one function, offline over a training set, online over whatever requests wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property

import polars as pl

from drivetrain.core.errors import FeatureError, ProjectError
from drivetrain.core.hashing import Digest, code_digest, digest
from drivetrain.core.notebook import shown
from drivetrain.features.expression import check_row_wise, expression_digest, in_words, select_rows

TYPES: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
}
"""Types a request field may have, as contracts name them."""

_SAMPLES: Mapping[str, object] = {
    "string": "1",
    "int": 1,
    "float": 1.0,
    "bool": True,
    "time": datetime(2013, 7, 1, tzinfo=UTC),
    "date": date(2013, 7, 1),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class RequestFeatures:
    """Features computed from the fields of a request.

    The function is given a frame of requests and returns row expressions over it. It is asked once, with frames made up
    of the inputs' types, and what it returns is computed over every request, in training and in serving.

    Attributes:
        name: Its name in the project.
        function: Frame → expressions, each with a name of its own.
        inputs: Request field → its type: ``string``, ``int``, ``float``, ``bool``, ``time`` or ``date``.
        description: For people.
        owner: Whom to ask.

    Raises:
        ProjectError: An input has a type that does not exist, or the function fails, looks beyond a row, gives two
            features one name, or returns other expressions for other requests.
    """

    name: str
    function: Callable[[pl.DataFrame], list[pl.Expr]]
    inputs: Mapping[str, str]
    description: str = ""
    owner: str = field(default="")

    _repr_html_ = shown

    def __post_init__(self) -> None:
        unknown = {column: type_ for column, type_ in self.inputs.items() if type_ not in TYPES}
        if unknown:
            raise ProjectError(
                f"request features {self.name!r} have inputs of unknown types", found=unknown, expected=sorted(TYPES)
            )

    @cached_property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """What the function returns, checked."""
        empty = pl.DataFrame(schema=self.types)
        sample = {column: [_SAMPLES[type_]] for column, type_ in self.inputs.items()}
        try:
            made = tuple(self.function(empty))
            names = [expr.meta.output_name() for expr in made]
            empty.select(made)
            again = tuple(self.function(pl.DataFrame(sample, schema=self.types)))
        except Exception as error:  # whatever the project's own code raises is told in its name
            raise ProjectError(
                f"request features {self.name!r} can't be computed: {type(error).__name__}: {_first_line(error)}",
                do="Check the function, and that inputs names every field it reads",
            ) from error
        for expr, name in zip(made, names, strict=True):
            check_row_wise(expr, f"request feature {self.name}.{name}")
        if len(set(names)) < len(names):
            raise ProjectError(f"request features {self.name!r} repeat a name", found=names, do="Use .alias()")
        if [expression_digest(expr) for expr in made] != [expression_digest(expr) for expr in again]:
            raise ProjectError(
                f"request features {self.name!r} are other expressions for other requests",
                expected="expressions over fields, which are computed over every request",
                do="Read fields with pl.col, not from the frame, and no clock",
            )
        return made

    @cached_property
    def named(self) -> tuple[pl.Expr, ...]:
        """The expressions under the features' full names."""
        return tuple(expr.alias(name) for expr, name in zip(self.expressions, self.feature_names, strict=True))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Fields that are read by name, each once."""
        return tuple(dict.fromkeys(name for expr in self.expressions for name in expr.meta.root_names()))

    @cached_property
    def types(self) -> dict[str, pl.DataType]:
        """Field → the type in which it is read."""
        return {column: TYPES[type_] for column, type_ in self.inputs.items()}

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Full names, ``name.output``, in order."""
        return tuple(f"{self.name}.{expr.meta.output_name()}" for expr in self.expressions)

    @cached_property
    def digest(self) -> Digest:
        """Digest of what the function computes; comments and descriptions change nothing."""
        return digest([sorted(self.inputs.items()), code_digest(self.function)])

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Full name → type, in order."""
        return dict(self.evaluate(pl.DataFrame(schema=self.types)).schema)

    def words(self) -> dict[str, str]:
        """Full name → what the feature is, in plain words."""
        return {
            name: f"{in_words(expr)}, from the request"
            for name, expr in zip(self.feature_names, self.expressions, strict=True)
        }

    def evaluate(self, requests: pl.DataFrame) -> pl.DataFrame:
        """The features of requests, one row each, in order, by full name.

        Args:
            requests: A column per input; values are cast to the inputs' types.

        Raises:
            FeatureError: A column is missing or of another type, or an expression fails.
        """
        missing = sorted(set(self.inputs) - set(requests.columns))
        if missing:
            raise FeatureError(
                f"request features {self.name!r} lack fields", found=sorted(requests.columns), expected=missing
            )
        try:
            typed = requests.select(pl.col(column).cast(type_) for column, type_ in self.types.items())
            return select_rows(typed, self.named)
        except pl.exceptions.PolarsError as error:
            raise FeatureError(f"request features {self.name!r} can't be computed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
