"""Features of a block that follow from how its values compare: how many differ, their quantiles, the most frequent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from drivetrain.features.block import Block
from drivetrain.features.bounds import Bounds
from drivetrain.features.coded import Coded
from drivetrain.features.distinct import distinct
from drivetrain.features.exact import Floats
from drivetrain.features.frequent import most_frequent
from drivetrain.features.quantile import quantiles
from drivetrain.features.view import Feature


def ordered(
    block: Block, values: Coded, features: Mapping[int, Feature], windows: Sequence[Bounds]
) -> dict[int, Floats]:
    """Features of a block's requests.

    Args:
        block: The block.
        values: What its codes stand for.
        features: Features of the kinds ``distinct``, ``quantile`` and ``top``, by any number.
        windows: The block's windows.

    Returns:
        By that number, one entry a request; of ``top`` the values' codes; NaN for null.
    """
    made: dict[int, Floats] = {}
    tops: dict[int, dict[int, int]] = defaultdict(dict)
    shares: dict[int, tuple[int, float]] = {}
    for at, feature in features.items():
        window = windows.index(Bounds.of(feature))
        if feature.kind == "distinct":
            made[at] = distinct(block, block.left[window])
        elif feature.kind == "top":
            tops[window][at] = int(feature.argument or 0)
        else:
            shares[at] = window, feature.argument or 0.0
    for window, ranks in tops.items():
        found = most_frequent(block, block.left[window], max(ranks.values()) + 1)
        made.update({at: np.where(found[rank] < 0, np.nan, found[rank]) for at, rank in ranks.items()})
    if shares:
        numbers = values.values.to_numpy().astype(np.float64)
        made.update(zip(shares, quantiles(block, numbers, list(shares.values())), strict=True))
    return made
