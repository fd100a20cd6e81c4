"""The most frequent values that each request sees.

How often a value is seen changes only where an event of it comes to be known or leaves the window: between, it is a
stretch of requests with one count. Stretches are put in order of count and value, and the first in that order is found
for all requests at once: written into a sparse table as the two blocks that cover it, and pushed down level by level.
The next most frequent value is the first of what is left of the stretches when the found ones are cut out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drivetrain.features.block import Block
from drivetrain.features.exact import Places


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Requests that see a value equally often, the most frequent first.

    Attributes:
        code: Codes of the values.
        first: The first request of each.
        last: Past the last request of each.
    """

    code: Places
    first: Places
    last: Places


def most_frequent(block: Block, left: Places, many: int) -> list[Places]:
    """Codes of the ``many`` most frequent values that each request of a block sees in its window; -1 for none."""
    asked = len(block.known)
    stretches = _stretches(block, left)
    found = []
    for rank in range(many):
        which = _first_covering(stretches, asked)
        there = which >= 0
        found.append(np.where(there, stretches.code[np.where(there, which, 0)], -1) if there.any() else which)
        if rank + 1 < many:
            stretches = _without(stretches, which)
    return found


def _stretches(block: Block, left: Places) -> _Stretches:
    code, first, last = block.seen(left)
    width = len(block.known) + 1
    key = np.concatenate([code * width + first, code * width + last])
    order = np.argsort(key)
    key = key[order]
    step = np.where(order < len(code), 1, -1)
    count = np.cumsum(step)
    # One entry a moment of change, with the count after all that changed there.
    ends = np.flatnonzero(np.concatenate([key[1:] != key[:-1], [True]])) if len(key) else order
    key, count = key[ends], count[ends]
    changed = np.concatenate([[True], count[1:] != count[:-1]]) if len(key) else ends
    key, count = key[changed], count[changed]
    here = np.flatnonzero(count > 0)
    count, begin, end = count[here], key[here], key[here + 1]
    code = begin // width
    rank = np.argsort((count.max(initial=0) - count) * (code.max(initial=0) + 1) + code)
    return _Stretches(code[rank], (begin % width)[rank], (end % width)[rank])


def _first_covering(stretches: _Stretches, asked: int) -> Places:
    """The first stretch that covers each request; -1 for none."""
    none = len(stretches.code)
    level = np.frexp((stretches.last - stretches.first).astype(np.float64))[1] - 1
    by_level = np.argsort(level.astype(np.int8), kind="stable")
    bounds = np.searchsorted(level[by_level], np.arange(int(level.max(initial=0)) + 2))
    table = np.full(asked, none)
    for step in reversed(range(len(bounds) - 1)):
        here = by_level[bounds[step] : bounds[step + 1]]
        np.minimum.at(table, stretches.first[here], here)
        np.minimum.at(table, stretches.last[here] - (1 << step), here)
        if step:
            half = 1 << (step - 1)
            pushed = table.copy()
            np.minimum(pushed[half:], table[:-half], out=pushed[half:])
            table = pushed
    return np.where(table < none, table, -1)


def _without(stretches: _Stretches, found: Places) -> _Stretches:
    """The stretches less, for each request, the one that was found for it."""
    width = len(found) + 1
    edges = np.flatnonzero(found[1:] != found[:-1]) + 1
    begin, end = np.concatenate([[0], edges]), np.concatenate([edges, [len(found)]])
    which = found[begin] if len(found) else begin[:0]
    begin, end, which = begin[which >= 0], end[which >= 0], which[which >= 0]
    own = np.arange(len(stretches.code)) * width
    first = np.sort(np.concatenate([own + stretches.first, which * width + end]))
    last = np.sort(np.concatenate([own + stretches.last, which * width + begin]))
    kept = first < last
    return _Stretches(stretches.code[first[kept] // width], first[kept] % width, last[kept] % width)
