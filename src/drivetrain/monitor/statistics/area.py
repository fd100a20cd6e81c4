"""The area under the ROC curve of what tells two sides apart, as it is and as blocks are dealt by lot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.ranking import Floats

FOLDS = 4
DRAWS = 1_999
_BINS = 256


def areas_of(
    scores: Floats,
    is_window: npt.NDArray[np.bool_],
    blocks: npt.NDArray[np.intp],
    folds: npt.NDArray[np.intp],
    random: np.random.Generator,
) -> Floats:
    """Area under the curve, in the mean over folds: as it is, and as dealt by lot; shape (1 + draws,).

    Args:
        scores: What is said of each row, by what never saw its fold.
        is_window: Whose each is.
        blocks: Block of each.
        folds: Fold of each; blocks are whole.
        random: Where the lots come from.
    """
    parts = [folds == fold for fold in range(FOLDS)]
    found = [dealt_areas(scores[mine], is_window[mine], blocks[mine], random) for mine in parts]
    return np.asarray(np.mean(found, axis=0))


def dealt_areas(
    scores: Floats, is_window: npt.NDArray[np.bool_], blocks: npt.NDArray[np.intp], random: np.random.Generator
) -> Floats:
    """The same of one fold's rows."""
    number = np.unique(blocks, return_inverse=True)[1]
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _BINS + 1)[1:-1]))
    cells = np.searchsorted(edges, scores, side="right")
    width = len(edges) + 1
    counts = np.bincount(number * width + cells, minlength=(int(number.max()) + 1) * width).reshape(-1, width)
    # How often a row of one block is said to be more of the window's than one of another; ties count half.
    below = np.cumsum(counts, axis=1) - 0.5 * counts
    wins = counts @ below.T
    sides = dealt_sides(number, is_window, random)
    many = counts.sum(axis=1)
    won = np.einsum("da,ab,db->d", sides, wins, 1 - sides, optimize=True)
    return np.asarray(won / ((sides @ many) * ((1 - sides) @ many)))


def dealt_sides(blocks: npt.NDArray[np.intp], is_window: npt.NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """Sides of one fold's blocks: what they are, and then as dealt by lot; shape (1 + draws, blocks), 1 for the window.

    Args:
        blocks: Block of each of the fold's rows, 0 to n - 1.
        is_window: Whose row each is.
        random: Where the lots come from.
    """
    many = int(blocks.max()) + 1
    sides = np.zeros(many)
    sides[blocks[is_window]] = 1.0
    return np.vstack([sides, random.permuted(np.tile(sides, (DRAWS, 1)), axis=1)])
