"""What is done to a column's values before anything is written: declared beside the column's type."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Literal, Protocol, TypeAlias, TypeVar, get_args

import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.data.mask import masked

T = TypeVar("T")
Unit: TypeAlias = Literal["day", "month", "year"]

_PSEUDONYM = re.compile(r"[0-9a-f]{4}\.[0-9a-f]{32}")
WITHHELD = "(withheld)"
"""What stands in place of a value that is not kept: in the log, and in quarantine where no treatment fits it."""


class Keys(Protocol):
    """What treatments that need secrets are given."""

    def key(self, place: str) -> bytes:
        """The key in a place."""
        ...

    def subjects(self, place: str, subjects: Sequence[str]) -> dict[str, bytes]:
        """Subject → its own key, made where there is none; wrapped by the master key in a place."""
        ...


class Treatment(Protocol):
    """What happens to a column."""

    @property
    def meaning(self) -> tuple[object, ...]:
        """What decides the values it makes, for digests."""
        ...

    @property
    def keeps_apart(self) -> bool:
        """Whether different values stay different, and equal ones equal: only then may it treat a key."""
        ...

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:
        """The column as it is kept; none where it is not kept."""
        ...


@dataclass(frozen=True)
class Drop:
    """The column is checked, and not kept."""

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("drop",)

    @property
    def keeps_apart(self) -> bool:
        """Nothing is kept."""
        return False

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return None


@dataclass(frozen=True)
class Mask:
    """First and last letter stay, and what is no letter or digit; text shorter than five is masked whole."""

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("mask",)

    @property
    def keeps_apart(self) -> bool:
        """Many values become one."""
        return False

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:  # noqa: ARG002 - the protocol's
        """Masked text."""
        return _by_value(rows[column], masked)


@dataclass(frozen=True)
class Truncate:
    """The first letters of a text, or of a number's text.

    Attributes:
        letters: How many stay.
    """

    letters: int

    def __post_init__(self) -> None:
        if self.letters < 1:
            raise ProjectError("truncate keeps at least one letter", found=self.letters, do="Or use dt.drop()")

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("truncate", self.letters)

    @property
    def keeps_apart(self) -> bool:
        """Many values become one."""
        return False

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:  # noqa: ARG002 - the protocol's
        """Text."""
        return rows[column].cast(pl.String).str.slice(0, self.letters)


@dataclass(frozen=True)
class Generalise:
    """Values become coarser ones: one of the three is given.

    Attributes:
        bins: Bounds that numbers are sorted between: ``[18, 30]`` makes ``<18``, ``18–30`` and ``≥30``.
        to: A time or date becomes the first day of its ``month`` or ``year``, or its ``day``.
        groups: Value → what it becomes; what is not in it becomes ``other``.
    """

    bins: tuple[float, ...] = ()
    to: Unit | None = None
    groups: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if sum(map(bool, (self.bins, self.to, self.groups))) != 1:
            raise ProjectError("generalise needs one of bins, to and groups")
        if list(self.bins) != sorted(set(self.bins)):
            raise ProjectError("bins must rise", found=list(self.bins))
        if self.to is not None and self.to not in get_args(Unit):
            raise ProjectError("no such unit of time", found=repr(self.to), expected=", ".join(get_args(Unit)))

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("generalise", self.bins, self.to, sorted((self.groups or {}).items()))

    @property
    def keeps_apart(self) -> bool:
        """Many values become one."""
        return False

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:  # noqa: ARG002 - the protocol's
        """Text of a bin or a group, or a time of the column's own type."""
        values = rows[column]
        if self.groups is not None:
            groups = dict(self.groups)
            return (
                values.cast(pl.String)
                .replace_strict(groups, default="other", return_dtype=pl.String)
                .set(values.is_null(), None)
            )
        if self.to is not None:
            return values.dt.truncate({"day": "1d", "month": "1mo", "year": "1y"}[self.to])
        bounds = [f"{bound:g}" for bound in self.bins]
        labels = [f"<{bounds[0]}", *(f"{a}–{b}" for a, b in pairwise(bounds)), f"≥{bounds[-1]}"]
        place = reduce(add, [(values >= bound).cast(pl.UInt32) for bound in self.bins])
        return pl.Series(labels, dtype=pl.String).gather(place).alias(column)


@dataclass(frozen=True)
class Pseudonym:
    """A keyed digest in the value's place (HMAC-SHA256): equal values stay equal, and can be told by no one without it.

    The value begins with the key's own id, so that it can be told which key made it. A key is changed by declaring
    another place: the source is then read again from the start, and its table's pseudonyms are all of the new key.

    Attributes:
        key: Where the key is: ``env:NAME`` or ``file:path``; never in the store.
    """

    key: str

    def __post_init__(self) -> None:
        check_place(self.key)

    @property
    def meaning(self) -> tuple[object, ...]:
        """For digests."""
        return ("pseudonym", self.key)

    @property
    def keeps_apart(self) -> bool:
        """Equal values become equal ones, different ones different."""
        return True

    def apply(self, rows: pl.DataFrame, column: str, keys: Keys) -> pl.Series | None:
        """Text: the key's id, a dot, and the digest."""
        key = keys.key(self.key)
        return _by_value(rows[column], lambda text: pseudonym_of(key, text))


def pseudonym_of(key: bytes, text: str) -> str:
    """The pseudonym of a text under a key.

    Example:
        >>> pseudonym_of(b"k" * 32, "ada@example.org")
        '643e.ff3896f62eb9569de92168a2359d3285'
    """
    return f"{_kind_of(key)}.{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]}"


def is_pseudonym(text: str, key: bytes | None = None) -> bool:
    """Whether a text looks like one; with a key, like one that was made with it."""
    own = key is None or text[:4] == _kind_of(key)
    return own and _PSEUDONYM.fullmatch(text) is not None


def _kind_of(key: bytes) -> str:
    return hashlib.sha256(b"drivetrain pseudonym key" + key).hexdigest()[:4]


def kept_type(treat: Treatment | None, kind: T) -> T | Literal["string"]:
    """Type of a column's values once they are treated: text, unless they stay what they were."""
    stays = treat is None or isinstance(treat, Drop) or (isinstance(treat, Generalise) and treat.to is not None)
    return kind if stays else "string"


def check_place(place: str) -> None:
    """Refuses what is no place of a key."""
    scheme, _, rest = place.partition(":")
    if scheme not in {"env", "file"} or not rest:
        raise ProjectError("a key's place can't be read", found=repr(place), expected="env:NAME or file:PATH")


def _by_value(values: pl.Series, make: Callable[[str], str]) -> pl.Series:
    """Text made of each different value once."""
    texts = values.cast(pl.String)
    distinct = texts.unique().drop_nulls()
    made = pl.Series([make(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, made, default=None, return_dtype=pl.String).alias(values.name)


def drop() -> Drop:
    """The column is checked, and not kept."""
    return Drop()


def mask() -> Mask:
    """First and last letter stay."""
    return Mask()


def truncate(letters: int) -> Truncate:
    """The first letters stay."""
    return Truncate(letters)


def generalise(
    *, bins: Sequence[float] = (), to: Unit | None = None, groups: Mapping[str, str] | None = None
) -> Generalise:
    """Values become coarser ones: see :class:`Generalise`.

    Raises:
        ProjectError: Not exactly one of the three is given, or it can't be used.
    """
    return Generalise(tuple(bins), to, groups)


def pseudonym(*, key: str) -> Pseudonym:
    """A keyed digest in the value's place: see :class:`Pseudonym`.

    Args:
        key: ``env:NAME`` or ``file:path``.
    """
    return Pseudonym(key)
