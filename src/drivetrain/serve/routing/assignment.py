"""Assignment by hash: the same unit always goes the same way, and every experiment shuffles anew.

Source: R. Kohavi, D. Tang, Y. Xu, "Trustworthy Online Controlled Experiments" (2020), chapter 4: hash the unit with a
salt of the experiment's own, so that assignments of two experiments are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

_SCALE = 2.0**-53


def uniform(salt: str, unit: str) -> float:
    """A number from [0, 1) that depends on salt and unit alone, on every machine and in every process."""
    digest = blake2b(unit.encode("utf-8", "surrogatepass"), digest_size=8, key=blake2b(salt.encode()).digest()).digest()
    return (int.from_bytes(digest, "little") >> 11) * _SCALE


def chosen(shares: Sequence[float], drawn: float) -> int:
    """The place of the share that a number from [0, 1) falls into; the last where the shares leave some over.

    The first share can grow without anybody leaving it: a canary that grows keeps those it has.
    """
    for place, share in enumerate(shares):
        drawn -= share
        if drawn < 0:
            return place
    return len(shares) - 1
