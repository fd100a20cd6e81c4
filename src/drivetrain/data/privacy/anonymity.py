"""Whether rows that say the same of a person are enough to hide one among them, and not all alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import polars as pl

from drivetrain.core.errors import ProjectError, UsageError


class Anonymity(msgspec.Struct, frozen=True, kw_only=True):
    """What a table's smallest groups are.

    Attributes:
        k: Rows of the smallest group that says the same in all of the columns; 0 for no rows.
        groups: How many groups there are.
        small: Rows in groups smaller than what was asked for.
        worst: Sizes of the smallest groups, smallest first, ten at most; no values.
        rows: Rows in all.
        diversity: Different values of the sensitive column in the group that has fewest of those that have any; none
            where it was not asked.
        alike: Rows in groups with fewer of them than what was asked for.
        broken: Rows in groups of either kind.
    """

    k: int
    groups: int
    small: int
    worst: tuple[int, ...]
    rows: int = 0
    diversity: int | None = None
    alike: int = 0
    broken: int = 0


@dataclass(frozen=True)
class KAnonymity:
    """What a table must be for nobody to be singled out in it by what others may know.

    Attributes:
        columns: Columns that others may know, the quasi-identifiers: birth date, post code, sex.
        k: Rows that must say the same in all of them.
        sensitive: A column whose values must not be told by the group alone.
        diversity: Different values of it that each group must have.
        spare: Share of rows for which neither need hold.

    Raises:
        ProjectError: It can't be asked.

    Example:
        >>> KAnonymity(["zip", "age"], k=5, sensitive="diagnosis", diversity=2).k
        5
    """

    columns: Sequence[str]
    k: int = 5
    sensitive: str | None = None
    diversity: int = 1
    spare: float = 0.0

    def __post_init__(self) -> None:
        named = bool(self.columns) and not isinstance(self.columns, str)
        if not named or self.k < 1 or self.diversity < 1 or not 0 <= self.spare < 1:
            raise ProjectError(
                "k-anonymity is of some columns, and of groups of one row or more",
                found=f"columns={self.columns!r}, k={self.k}, diversity={self.diversity}, spare={self.spare}",
                expected='such as dt.KAnonymity(["zip", "age"], k=5)',
            )
        if (self.sensitive is None) != (self.diversity == 1) or self.sensitive in self.columns:
            raise ProjectError(
                "l-diversity is of a sensitive column beside the others, and of two values or more",
                found=f"sensitive={self.sensitive!r}, diversity={self.diversity}",
            )

    @property
    def reads(self) -> list[str]:
        """Columns that are looked at."""
        return [*dict.fromkeys(self.columns), *([self.sensitive] if self.sensitive else [])]

    def of(self, frame: pl.DataFrame) -> Anonymity:
        """What rows are.

        Raises:
            UsageError: A column is not there.
        """
        return k_anonymity(frame, self.columns, self.k, sensitive=self.sensitive, diversity=self.diversity)

    def holds(self, found: Anonymity) -> bool:
        """Whether that is enough."""
        return found.broken <= self.spare * found.rows


def k_anonymity(
    frame: pl.DataFrame, quasi: Sequence[str], k: int = 5, *, sensitive: str | None = None, diversity: int = 1
) -> Anonymity:
    """How many rows share each combination of values that could point at a person from outside.

    Source: P. Samarati and L. Sweeney, "Protecting privacy when disclosing information: k-anonymity and its enforcement
    through generalization and suppression", 1998; A. Machanavajjhala et al., "l-diversity: privacy beyond k-anonymity",
    2007, its distinct form.

    Args:
        frame: The rows.
        quasi: Columns that others may know: birth date, post code, sex. A null is a value like others.
        k: How many rows a group must have.
        sensitive: A column whose values must differ within a group. A null is no value: it hides no other. A group
            that has nulls only tells nothing and counts as different enough.
        diversity: How many different ones a group must have.

    Raises:
        UsageError: A column is not there, or none is given.

    Example:
        >>> k_anonymity(pl.DataFrame({"town": ["Ulm", "Ulm", "Bonn"]}), ["town"], 2).small
        1
    """
    asked = [*dict.fromkeys(quasi), *([sensitive] if sensitive else [])]
    missing = [name for name in asked if name not in frame.columns]
    if missing or not quasi or k < 1 or diversity < 1:
        raise UsageError(
            "k-anonymity is of columns that are there, and of groups of one row or more",
            found=", ".join(missing) or None,
            expected=f"some of {', '.join(frame.columns)}",
        )
    names = list(dict.fromkeys(quasi))
    # A column may be called as ours are: theirs are numbered.
    renamed = frame.select(pl.col(name).alias(str(at)) for at, name in enumerate(asked))
    values = pl.col(str(len(names))).drop_nulls().n_unique() if sensitive else pl.lit(None)
    sizes = renamed.group_by([str(at) for at in range(len(names))]).agg(rows=pl.len().cast(pl.Int64), kinds=values)
    rows, kinds = sizes["rows"].sort(), sizes["kinds"].cast(pl.Int64)
    least = kinds.filter(kinds > 0).min()
    few, alike = sizes["rows"] < k, (kinds > 0) & (kinds < diversity)
    alike = alike.fill_null(value=False)
    return Anonymity(
        k=int(rows[0]) if len(rows) else 0,
        groups=len(rows),
        small=int(rows.filter(rows < k).sum()),
        worst=tuple(rows.head(10).to_list()),
        rows=frame.height,
        diversity=int(least) if isinstance(least, int) else None,
        alike=int(sizes["rows"].filter(alike).sum()),
        broken=int(sizes["rows"].filter(few | alike).sum()),
    )
