"""What one column of a table must be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, TypeAlias, get_args

import polars as pl

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import ProjectError
from drivetrain.core.notebook import shown
from drivetrain.data.treatment import Treatment

TypeName: TypeAlias = Literal["string", "int", "float", "bool", "time", "date"]
Privacy: TypeAlias = Literal["public", "internal", "personal", "sensitive", "secret"]
PRIVATE: frozenset[Privacy] = frozenset({"personal", "sensitive", "secret"})
"""Classes whose values are masked wherever rows are shown, and kept in no profile."""
Bound: TypeAlias = int | float | str

DTYPES: dict[TypeName, pl.DataType] = {
    "string": pl.String(),
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "time": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
}


@dataclass(frozen=True)
class Column:
    """A column's type and what its values must hold.

    Attributes:
        type: ``string``, ``int``, ``float``, ``bool``, ``time`` (a moment, kept in UTC) or ``date``. Values of
            another type are converted where nothing is lost; the rest break the contract one by one.
        nullable: Whether a value may be missing. NaN counts as missing.
        low: Least value allowed; ISO 8601 text for times and dates.
        high: Greatest value allowed.
        among: The only values allowed.
        pattern: Regular expression that some part of the text must match; anchor it with ``^`` and ``$``.
        references: ``(table, column)`` where the value must be found.
        unique: Whether no two rows with different keys may share a value, in a batch or with the table. Of rows in a
            batch the first keeps it.
        increasing: Whether no value may be less than one that came before it, in the order of arrival: in its batch,
            and in the table. A file that is read again is held to its own order only.
        complete: Least share of a batch's rows that must have a value, judged over the batch as a whole.
        privacy: What the values may be used for.
        description: For people.
        treat: What is done to the values before anything is written, after they were checked: ``dt.drop()``,
            ``dt.mask()``, ``dt.truncate(n)``, ``dt.generalise(…)``, ``dt.pseudonym(key=…)`` or ``dt.vault(key=…)``.

    Raises:
        ProjectError: The type is unknown, or a rule does not fit it.

    Example:
        >>> Column("int", low=0, high=2400).low
        0
    """

    type: TypeName
    _: KW_ONLY
    nullable: bool = True
    low: Bound | None = None
    high: Bound | None = None
    among: Sequence[str | int] = ()
    pattern: str | None = None
    references: tuple[str, str] | None = None
    unique: bool = False
    increasing: bool = False
    complete: float | None = None
    privacy: Privacy = "internal"
    description: str = ""
    treat: Treatment | None = None

    _repr_html_ = shown

    def __post_init__(self) -> None:
        if self.type not in get_args(TypeName):
            raise ProjectError(
                "a column's type is unknown", found=repr(self.type), expected=", ".join(get_args(TypeName))
            )
        if self.pattern is not None:
            if self.type != "string":
                raise ProjectError(f"a pattern needs a string column, and this one is {self.type}")
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ProjectError(
                    f"a column's pattern is no regular expression: {error}", found=self.pattern
                ) from None
        if (self.low is not None or self.high is not None) and self.type in ("string", "bool"):
            raise ProjectError(f"low and high need numbers or times, and this column is {self.type}")
        if self.increasing and self.type in ("string", "bool"):
            raise ProjectError(f"only numbers and times can be increasing, and this column is {self.type}")
        if self.treat is not None and (self.increasing or (self.unique and not self.treat.keeps_apart)):
            raise ProjectError(
                "values that are treated can't be held against those of a table",
                found="increasing" if self.increasing else "unique",
                do="Leave the rule out, or treat a unique column with dt.pseudonym(…)",
            )
        if self.complete is not None and not 0 <= self.complete <= 1:
            raise ProjectError("a column's complete is a share", found=self.complete, expected="0 to 1")

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type its values are kept as."""
        return DTYPES[self.type]

    def bound(self, value: Bound) -> pl.Expr:
        """A bound as an expression of the column's type."""
        if self.type == "time":
            return pl.lit(micros_of(value if isinstance(value, str) else int(value))).cast(self.dtype)
        if self.type == "date":
            return pl.lit(str(value)).str.to_date()
        return pl.lit(value)

    @property
    def meaning(self) -> tuple[object, ...]:
        """What decides which rows pass, and what is kept of them, for digests: not the words, not the privacy class."""
        # Rules that came later count only where they are set: what was declared before them means what it meant.
        later = {"unique": self.unique, "increasing": self.increasing, "complete": self.complete}
        told: tuple[object, ...] = tuple((name, value) for name, value in later.items() if value not in (False, None))
        if self.treat is not None:
            told = (*told, self.treat.meaning)
        return (self.type, self.nullable, self.low, self.high, tuple(self.among), self.pattern, self.references, *told)
