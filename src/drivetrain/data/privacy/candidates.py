"""Where in a text personal data could be: places found by whole-array steps, so that most bytes are looked at once.

Everything sought has an ``@``, a run of digits, or pairs with colons or dashes in it. Those places are found in numpy;
the patterns then look there, and nowhere else. The compiled ``_kernel.c`` finds the same, in one look.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PAD = 8
"""Bytes of nothing on both sides, so that what is beside a place can always be asked."""
_GAP = 3
"""Characters that may part two runs of digits of one number."""
_SHAPES = ((3, 2, 4), (4, 2, 3), (2, 3, 3, 3), (1, 2, 2, 2, 3, 3, 2), (13, 2), (4, 4, 4), (4, 6, 5))
"""Lengths of the runs of national numbers and cards."""
_LENGTHS = (9, 11, *range(13, 20))
"""Lengths of those written in one run."""


def _class(letters: bytes) -> Flags:
    members = np.zeros(256, dtype=np.bool_)
    members[list(letters)] = True
    return members


_DIGITS = _class(b"0123456789")
_UPPER = _class(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LETTERS = _UPPER | _class(b"abcdefghijklmnopqrstuvwxyz")
_WORD = _DIGITS | _LETTERS | _class(b"_")
_ALNUM = _DIGITS | _LETTERS
_HEX = _DIGITS | _class(b"abcdefABCDEF")
_APART = _class(b" .-()/")
_JOINED = _WORD | _class(b"+.-/")


class Candidates:
    """Places worth a look.

    Args:
        data: UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self._bytes = np.frombuffer(bytes(_PAD) + data + bytes(_PAD), dtype=np.uint8)
        digits = np.flatnonzero(_DIGITS[self._bytes])
        breaks = np.flatnonzero(np.diff(digits) > 1)
        edge = np.zeros(min(len(digits), 1), dtype=np.int64)
        self._first = digits[np.concatenate([edge, breaks + 1])]
        self._after = digits[np.concatenate([breaks, edge + len(digits) - 1])] + 1
        self._many: Places = self._after - self._first

    def ats(self) -> list[int]:
        """Where an ``@`` is."""
        return self._listed(np.flatnonzero(self._bytes == ord("@")))

    def phones(self) -> list[int]:
        """Where a run of digits begins that may belong to a telephone's number."""
        before = self._beside(-1)
        joined = _JOINED[self._beside(-2)]
        zero = self._beside(0) == ord("0")
        abroad = (before == ord("+")) & ~zero & ~joined
        national = zero & (self._many > 1) & ~_JOINED[before]
        begins = (abroad | national) & (self._ahead() >= 7)
        begins |= self._shaped((3, 4))
        return self._listed(self._first[begins])

    def numbers(self) -> list[int]:
        """Where a number with a checksum may begin that has no letters."""
        alone = ~_WORD[self._beside(-1)] & ~_WORD[self._bytes[self._after]]
        begins = np.isin(self._many, _LENGTHS) & alone
        for shape in _SHAPES:
            begins |= self._shaped(shape)
        return self._listed(self._first[begins])

    def lettered(self) -> list[int]:
        """Where the first digits are of a number that has letters too."""
        many, end = self._many, self._after
        upper = [_UPPER[self._beside(-at)] for at in range(1, 7)]
        free = [~_ALNUM[self._beside(-at)] for at in range(8)]
        two = upper[0] & upper[1]
        iban = (many >= 2) & two & free[3]
        fiscal = (many == 2) & two & upper[2] & upper[3] & upper[4] & upper[5] & free[7]
        parted = ((many == 2) | (many == 6)) & (self._beside(-1) == 32) & upper[1] & upper[2] & free[4]
        xyz = [(self._beside(-at) >= ord("X")) & (self._beside(-at) <= ord("Z")) for at in range(3)]
        dash = self._beside(-1) == ord("-")
        foreigner = (many == 7) & ((xyz[1] & free[2]) | (dash & xyz[2] & free[3]))
        after = self._bytes[end]
        follows = np.where(after == ord("-"), self._bytes[end + 1], after)
        resident = (many == 8) & free[1] & _UPPER[follows]
        corsican = free[1] & (self._bytes[end - 1] == ord("2")) & ((after == ord("A")) | (after == ord("B")))
        return self._listed(self._first[iban | fiscal | parted | foreigner | resident | corsican])

    def dotted(self) -> list[int]:
        """Where four numbers with dots between them may begin."""
        if len(self._first) < 4:
            return []
        short = self._many <= 3
        dots = (self._first[1:] - self._after[:-1] == 1) & (self._bytes[self._after[:-1]] == ord("."))
        four = short[:-3] & short[1:-2] & short[2:-1] & short[3:] & dots[:-2] & dots[1:-1] & dots[2:]
        return self._listed(self._first[:-3][four])

    def separators(self) -> list[int]:
        """Where hexadecimal groups with colons or dashes between them may be: a separator."""
        data = self._bytes
        colons = np.flatnonzero(data == ord(":"))
        near = np.diff(colons) <= 5
        three = colons[:-2][near[:-1] & near[1:]] if len(colons) > 2 else colons[:0]
        pairs = colons[data[colons + 1] == ord(":")]
        dashes = np.flatnonzero(data == ord("-"))
        dashes = dashes[data[dashes + 3] == ord("-")]
        for at in (-2, -1, 1, 2, 4, 5):
            dashes = dashes[_HEX[data[dashes + at]]]
        dashes = dashes[data[dashes + 6] == ord("-")]
        return self._listed(np.unique(np.concatenate([three, pairs, dashes])))

    def houses(self) -> list[int]:
        """Where a house number begins that a street's name follows, or that follows one, or the number of a box."""
        data, end = self._bytes, self._after
        inside = (self._many <= 6) & ~_ALNUM[self._beside(-1)]
        comma = np.where(data[end] == ord(","), 1, 0)
        spaced = data[end + comma] == 32
        ordinal = np.zeros(len(end), dtype=np.bool_)
        near = (self._first[1:] - (end + comma)[:-1] == 1) & (self._many[1:] <= 3)
        ordinal[:-1] = near & np.isin(data[end[1:]], list(b"snrt"))
        named = spaced & (_UPPER[data[end + comma + 1]] | ordinal)
        french = spaced & np.isin(self._packed(end + comma + 1), _FRENCH)
        comma = np.where(data[end + 1] == ord(","), 1, 0)
        lettered = _LETTERS[data[end]] & (data[end + 1 + comma] == 32)
        lettered &= _UPPER[data[end + 2 + comma]] | _DIGITS[data[end + 2 + comma]]
        ends = (self._beside(-1) == 32) & np.isin(self._packed(self._first - 4), _BEFORE)
        return self._listed(self._first[inside & (named | french | lettered | ends)])

    def _beside(self, at: int) -> NDArray[np.uint8]:
        """The byte so far from the first digit of each run."""
        return np.asarray(self._bytes[self._first + at])

    @cached_property
    def _chained(self) -> Flags:
        """Whether only a little lies between a run and the next."""
        gaps = self._first[1:] - self._after[:-1]
        chained = gaps <= _GAP
        for at in range(_GAP):
            chained &= (gaps <= at) | _APART[self._bytes[self._after[:-1] + at]]
        return np.asarray(chained)

    def _ahead(self) -> Places:
        """How many digits a chain has from a run on."""
        if not len(self._first):
            return self._many
        total: Places = np.cumsum(self._many)
        last = np.flatnonzero(np.concatenate([~self._chained, [True]]))
        ends = last[np.searchsorted(last, np.arange(len(total)))]
        ahead: Places = total[ends] - total + self._many
        return ahead

    def _shaped(self, lengths: tuple[int, ...]) -> Flags:
        """Whether a run and those after it have these lengths, and little between them."""
        size, begins = len(self._many), np.zeros(len(self._many), dtype=np.bool_)
        wide = size - len(lengths) + 1
        if wide > 0:
            begins[:wide] = True
            for at, length in enumerate(lengths):
                begins[:wide] &= self._many[at : at + wide] == length
                if at:
                    begins[:wide] &= self._chained[at - 1 : at - 1 + wide]
        return begins

    def _packed(self, places: Places) -> Places:
        """Three bytes from each place on, as one number."""
        parts = [self._bytes[places + at].astype(np.int64) << (16 - 8 * at) for at in range(3)]
        return np.asarray(parts[0] | parts[1] | parts[2])

    def _listed(self, places: Places) -> list[int]:
        return [int(place) for place in (places - _PAD).tolist()]


_FRENCH = np.array([int.from_bytes(word, "big") for word in (b"rue", b"ave", b"bou", b"pla", b"che", b"imp")])
"""How the street's name begins that follows a house number."""
_ENDS = (b"\xc3\x9fe", b"sse", b"tr.", b"weg", b"atz", b"lee", b"box", b"Box", b"BOX")
_BEFORE = np.array([int.from_bytes(word, "big") for word in _ENDS])
"""How the street's name ends, or the word for a box, that a number follows."""
