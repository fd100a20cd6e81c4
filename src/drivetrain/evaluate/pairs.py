"""Pairs of a positive and a negative that are in the right order, counted by the blocks that both lie in.

ROC AUC is such a count. A resample that draws block b ``c[b]`` times holds each pair of blocks (b, d) ``c[b] c[d]``
times: with the counts of all blocks at hand, every resample's AUC is a quadratic form, and its rows need not be looked
at again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats


def block_pairs(labels: Floats, scores: Floats, codes: npt.NDArray[np.intp], blocks: int) -> Floats:
    """Pairs whose positive scores above their negative, ties counting half.

    Args:
        labels: 0 or 1, shape (n,).
        scores: Shape (n,).
        codes: Block of each row, 0 to ``blocks`` - 1.
        blocks: How many there are.

    Returns:
        Shape (blocks, blocks): block of the positive, block of the negative.
    """
    positive = labels > 0.5
    order = np.argsort(scores[positive], kind="stable")
    high = scores[positive][order]
    of_high = codes[positive][order]
    by_block = np.argsort(codes[~positive], kind="stable")
    low, of_low = scores[~positive][by_block], codes[~positive][by_block]
    found = np.zeros((blocks, blocks))
    if not len(high) or not len(low):
        return found
    # Between two positives next to each other all negatives count alike: where each negative falls among the positives
    # is looked up once, and how many positives of each block lie above is read off running counts of that block.
    above = np.searchsorted(high, low, side="right")
    level = np.searchsorted(high, low, side="left")
    places = len(high) + 1
    # Negatives by block and place, as sums: as many numbers as there are positives, not as there are pairs.
    starts = np.searchsorted(of_low, np.arange(blocks + 1)).tolist()
    for block in range(blocks):
        mine = slice(starts[block], starts[block + 1])
        if mine.start == mine.stop:
            continue
        falls = np.bincount(above[mine], minlength=places) + np.bincount(level[mine], minlength=places)
        below = np.cumsum(falls[:-1])
        found[:, block] = np.bincount(of_high, weights=below, minlength=blocks) / 2.0
    return found
