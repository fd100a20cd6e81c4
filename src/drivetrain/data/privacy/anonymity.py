"""Whether rows that say the same of a person are enough to hide one among them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import polars as pl

from drivetrain.core.errors import UsageError


class Anonymity(msgspec.Struct, frozen=True, kw_only=True):
    """What a table's smallest groups are.

    Attributes:
        k: Rows of the smallest group that says the same in all of the columns; 0 for no rows.
        groups: How many groups there are.
        small: Rows in groups smaller than what was asked for.
        worst: Sizes of the smallest groups, smallest first, ten at most; no values.
    """

    k: int
    groups: int
    small: int
    worst: tuple[int, ...]


def k_anonymity(frame: pl.DataFrame, quasi: Sequence[str], k: int = 5) -> Anonymity:
    """How many rows share each combination of values that could point at a person from outside.

    Source: P. Samarati and L. Sweeney, "Protecting privacy when disclosing information: k-anonymity and its enforcement
    through generalization and suppression", 1998. It says nothing of what a whole group has in common.

    Args:
        frame: The rows.
        quasi: Columns that others may know: birth date, post code, sex. A null is a value like others.
        k: How many rows a group must have.

    Raises:
        UsageError: A column is not there, or none is given.

    Example:
        >>> k_anonymity(pl.DataFrame({"town": ["Ulm", "Ulm", "Bonn"]}), ["town"], 2).small
        1
    """
    missing = [name for name in quasi if name not in frame.columns]
    if missing or not quasi or k < 1:
        raise UsageError(
            "k-anonymity is of columns that are there, and of groups of one row or more",
            found=", ".join(missing) or None,
            expected=f"some of {', '.join(frame.columns)}",
        )
    sizes = frame.group_by(quasi).len()["len"].cast(pl.Int64).sort()
    return Anonymity(
        k=int(sizes[0]) if len(sizes) else 0,
        groups=len(sizes),
        small=int(sizes.filter(sizes < k).sum()),
        worst=tuple(sizes.head(10).to_list()),
    )
