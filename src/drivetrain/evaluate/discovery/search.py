"""The search: every condition, and every pair of them, by how much worse the model is there than elsewhere.

After SliceFinder (Chung et al., 2019) and DivExplorer (Pastor et al., 2021): what is looked for are conditions under
which a loss lies above that of the other rows. The loss here is what the model did not expect of itself: with
prediction p and outcome y, ``y - p``, which is 0 on average wherever predictions are right, and
``(y - p)(1 - 2p)``, the squared error less the ``p(1 - p)`` that p promises. A group whose outcomes are hard to tell is
therefore not taken for a bad slice, if the model says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from drivetrain.evaluate.discovery.conditions import MOST_COLUMNS, Coded
from drivetrain.evaluate.ranking import Floats

KEPT = 12
"""Slices that the other half judges."""
LEAST_ROWS = 60
"""Rows of a slice on the half searched."""
LEAST_SHARE = 0.005
LEAST_GAP, LEAST_EXCESS = 0.02, 0.01
"""Smaller effects are not worth a word."""
_LEAST_Z = 2.0
_EXPLAINS = 0.7
"""A pair is dropped if one of its conditions alone has so much of its effect; any slice, if less than so much of it is
left among the rows that kept slices do not hold."""
_ALIKE = 0.5
"""A slice is dropped if it shares so many of its rows with one that is kept (Jaccard)."""

What = Literal["too low", "too high", "too sure"]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """A slice on the half searched.

    Attributes:
        at: Place of each column, and the code.
        what: How the model errs there.
        effect: How much worse than elsewhere.
        z: The same in standard errors.
    """

    at: tuple[tuple[int, int], ...]
    what: What
    effect: float
    z: float


class Search:
    """One half of the rows.

    Args:
        columns: The columns, over these rows.
        labels: 0 or 1.
        predictions: Probabilities.
    """

    def __init__(self, columns: Sequence[Coded], labels: Floats, predictions: Floats) -> None:
        self._columns = columns
        self._rows = len(labels)
        self._losses = {"gap": labels - predictions, "sure": excess(labels, predictions)}
        self._least = max(LEAST_ROWS, math.ceil(LEAST_SHARE * self._rows))
        self.looked_at = 0

    def kept(self) -> list[Candidate]:
        """The slices that look worst, none of them much the same as another."""
        single = {place: self._looked(self._columns[place].codes, (place,)) for place in range(len(self._columns))}
        worst = {place: max((each.z for each in found), default=0.0) for place, found in single.items()}
        chosen = sorted(sorted(worst, key=lambda place: -worst[place])[:MOST_COLUMNS])
        alone = {(each.at, each.what): each for found in single.values() for each in found}
        pairs = [each for places in combinations(chosen, 2) for each in self._pair(*places)]
        news = [
            each
            for each in pairs
            if not any(
                (part := alone.get(((at,), each.what))) is not None and part.effect >= _EXPLAINS * each.effect
                for at in each.at
            )
        ]
        ranked = sorted([*alone.values(), *news], key=lambda each: -each.z)
        return self._different(ranked)

    def mask(self, candidate: Candidate) -> Mask:
        """The slice's rows."""
        return mask_of(self._columns, candidate)

    def _pair(self, first: int, second: int) -> list[Candidate]:
        one, other = self._columns[first], self._columns[second]
        many = len(other.values)
        found = self._looked(one.codes * many + other.codes, (first, second), many)
        return [each for each in found if each.effect > 0]

    def _looked(self, cells: npt.NDArray[np.intp], places: tuple[int, ...], many: int = 0) -> list[Candidate]:
        counts = np.bincount(cells).astype(np.float64)
        enough = (counts >= self._least) & (counts <= self._rows - self._least)
        self.looked_at += int(enough.sum())
        if not enough.any():
            return []
        found: list[Candidate] = []
        for kind, losses in self._losses.items():
            sums = np.bincount(cells, weights=losses)
            with np.errstate(invalid="ignore", divide="ignore"):
                effects = sums / counts - (losses.sum() - sums) / (self._rows - counts)
                errors = losses.std() * np.sqrt(1 / counts + 1 / (self._rows - counts))
                z = np.where(enough, effects / errors, 0.0)
            least = LEAST_GAP if kind == "gap" else LEAST_EXCESS
            for cell in np.flatnonzero(enough & (np.abs(z) >= _LEAST_Z) & (np.abs(effects) >= least)):
                what: What = "too sure" if kind == "sure" else "too low" if effects[cell] > 0 else "too high"
                if kind == "sure" and effects[cell] < 0:
                    continue
                at = ((places[0], int(cell)),) if len(places) == 1 else _both(places, int(cell), many)
                found.append(Candidate(at, what, float(abs(effects[cell])), float(abs(z[cell]))))
        return found

    def _different(self, ranked: Sequence[Candidate]) -> list[Candidate]:
        kept: list[Candidate] = []
        masks: list[Mask] = []
        covered = np.zeros(self._rows, np.bool_)
        for each in ranked:
            mask = self.mask(each)
            if any((mask & other).sum() > _ALIKE * (mask | other).sum() for other in masks):
                continue
            if self._left(each, mask, covered) < _EXPLAINS * each.effect:
                continue
            kept.append(each)
            masks.append(mask)
            covered |= mask
            if len(kept) == KEPT:
                break
        return kept

    def _left(self, candidate: Candidate, mask: Mask, covered: Mask) -> float:
        """The effect among the rows that no kept slice holds: what those already tell is not told again."""
        inside, outside = mask & ~covered, ~mask & ~covered
        if inside.sum() < self._least / 2 or not outside.any():
            return 0.0
        losses = self._losses["sure" if candidate.what == "too sure" else "gap"]
        effect = float(losses[inside].mean() - losses[outside].mean())
        return -effect if candidate.what == "too high" else effect


def excess(labels: Floats, predictions: Floats) -> Floats:
    """Each row's squared error less the one that its prediction promises; 0 on average where predictions are right."""
    return np.asarray((labels - predictions) * (1.0 - 2.0 * predictions), np.float64)


def mask_of(columns: Sequence[Coded], candidate: Candidate) -> Mask:
    """Rows of a slice."""
    mask = np.ones(len(columns[0].codes), np.bool_)
    for place, code in candidate.at:
        mask &= columns[place].codes == code
    return mask


def _both(places: tuple[int, ...], cell: int, many: int) -> tuple[tuple[int, int], ...]:
    return (places[0], cell // many), (places[1], cell % many)
