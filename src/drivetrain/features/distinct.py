"""How many different values each request sees.

An event is seen by the requests from the one that first knows it up to the one whose window it has left. For each value
the requests that see any of its events are a few such stretches put together; where they begin the count goes up by
one, and where they end it goes down. So events known late cost no more than others.
"""

from __future__ import annotations

import numpy as np

from drivetrain.features.block import Block
from drivetrain.features.exact import Floats, Places


def distinct(block: Block, left: Places) -> Floats:
    """How many different values each request of a block sees in its window; 0 where it sees none."""
    code, first, last = block.seen(left)
    many = len(block.known)
    begin = code * (many + 1) + first
    order = np.argsort(begin)
    begin = begin[order]
    reach = np.maximum.accumulate((code * (many + 1) + last)[order])
    alone = begin[1:] > reach[:-1]
    begins = begin[np.concatenate([[True], alone])] if len(begin) else begin
    ends = reach[np.concatenate([alone, [True]])] if len(begin) else reach
    ups = np.bincount(begins % (many + 1), minlength=many + 1)
    downs = np.bincount(ends % (many + 1), minlength=many + 1)
    return np.cumsum(ups - downs)[:many].astype(np.float64)
