"""Where in a text personal data could be: places found by whole-array steps, so that most bytes are looked at once.

Everything sought has an ``@``, a group of digits, or pairs of colons in it. Those places are found in numpy; the
patterns then look at a window around each, and nowhere else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

_GAP = 4
"""Characters that may part two digits of one number."""


class Candidates:
    """Places worth a look.

    Args:
        data: UTF-8.
    """

    def __init__(self, data: bytes) -> None:
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        self._digits = np.flatnonzero((self._bytes - np.uint8(48)) < 10)

    def ats(self) -> list[int]:
        """Where an ``@`` is."""
        return _listed(np.flatnonzero(self._bytes == ord("@")))

    def numbers(self, least: int = 6) -> list[tuple[int, int, int]]:
        """Groups of so many digits or more, with little between them: first, after the last, how many."""
        first, last, many = _groups(self._digits, _GAP)
        wide = many >= least
        return list(zip(first[wide].tolist(), (last[wide] + 1).tolist(), many[wide].tolist(), strict=True))

    def dotted(self) -> list[int]:
        """Where four numbers with dots between them may begin."""
        dots = np.flatnonzero(self._bytes == ord("."))
        if len(dots) < 3:
            return []
        near = (dots[2:] - dots[:-2]) <= 8
        apart = (dots[1:-1] - dots[:-2] > 1) & (dots[2:] - dots[1:-1] > 1)
        return _listed(dots[:-2][near & apart])

    def colons(self) -> list[int]:
        """Where hexadecimal groups with colons or dashes between them may be: the first separator."""
        found = []
        for mark, width in ((b":", 5), (b"-", 3)):
            places = np.flatnonzero(self._bytes == mark[0])
            if len(places) > 2:
                steps = np.diff(places)
                runs = (steps[:-1] <= width) & (steps[1:] <= width)
                if mark == b"-":
                    runs &= (steps[:-1] == width) & (steps[1:] == width)
                found.append(places[:-2][runs])
        pairs = np.flatnonzero((self._bytes[:-1] == ord(":")) & (self._bytes[1:] == ord(":")))
        return _listed(np.unique(np.concatenate([*found, pairs]))) if found or len(pairs) else []

    def houses(self) -> list[int]:
        """Where a house number may begin that a street's name follows, or that follows one."""
        first, last, many = _groups(self._digits, 1)
        inside = (many <= 5) & (last + 5 < len(self._bytes))
        first, last = first[inside], last[inside]
        data = self._bytes
        capital = data[last + 2]
        spaced = data[last + 1] == 32
        named = spaced & (((capital >= 65) & (capital <= 90)) | np.isin(_packed(data, last + 2), _FRENCH))
        lettered = ((data[last + 1] | 32) >= 97) & (capital == 32) & (data[last + 3] >= 65) & (data[last + 3] <= 90)
        before = np.where(first >= 3, first, 3)
        ends = (data[before - 1] == 32) & np.isin(_packed(data, before - 3) >> 8, _GERMAN) & (first >= 3)
        return _listed(first[named | lettered | ends])


def _listed(places: Places) -> list[int]:
    return [int(place) for place in places.tolist()]


def _packed(data: NDArray[np.uint8], places: Places) -> Places:
    """Three bytes from each place on, as one number."""
    parts = [data[places + at].astype(np.int64) << (16 - 8 * at) for at in range(3)]
    return np.asarray(parts[0] | parts[1] | parts[2])


_FRENCH = np.array([int.from_bytes(word, "big") for word in (b"rue", b"ave", b"bou", b"pla", b"che", b"imp")])
"""How the street's name begins that follows a house number."""
_GERMAN = np.array([int.from_bytes(word, "big") for word in (b"\x9fe", b"se", b"ee", b"r.", b"eg", b"tz")])
"""How the street's name ends that a house number follows."""


def _groups(digits: Places, gap: int) -> tuple[Places, Places, Places]:
    """First and last digit of each group, and how many there are."""
    if not len(digits):
        return digits, digits, digits
    breaks = np.flatnonzero(np.diff(digits) > gap)
    starts = np.concatenate([[0], breaks + 1])
    stops = np.concatenate([breaks, [len(digits) - 1]])
    return digits[starts], digits[stops], stops - starts + 1
