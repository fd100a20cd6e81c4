"""Shapley values by sampling: what each feature contributes to one answer of a model that can only be asked.

A feature's contribution is what the answer changes by when the feature's value takes the place of a background row's,
averaged over background rows and over the orders in which features take their places: E. Štrumbelj and I. Kononenko,
"Explaining prediction models and individual predictions with feature contributions", Knowledge and Information Systems
41 (2014), 647-665. Every order is walked forward and backward with the same background row (antithetic permutations:
R. Mitchell, J. Cooper, E. Frank and G. Holmes, "Sampling Permutations for Shapley Value Estimation", Journal of Machine
Learning Research 23 (2022)); that makes the result exact, for the background, where features interact by twos at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_CELLS = 1 << 19
"""Numbers in one matrix that the model is asked about."""


class Shapley(NamedTuple):
    """Contributions to one answer.

    Attributes:
        base: Mean answer over the background, shape (outputs,).
        contributions: Shape (outputs, features); with the base they add up to the answer.
        errors: Their standard errors, same shape: how much they vary over background rows and orders.
    """

    base: np.ndarray
    contributions: np.ndarray
    errors: np.ndarray


class Sampling:
    """Explains a model against a background; the same row is explained the same way every time.

    Args:
        predict: The model: (n, features) → (n,) or (n, outputs).
        background: Rows, shape (n, features); each is used once.
        seed: Of the orders.

    Example:
        >>> sampling = Sampling(lambda rows: rows[:, 0] * rows[:, 1], np.zeros((2, 2)), seed=0)
        >>> sampling.explain(np.array([2.0, 3.0])).contributions.tolist()
        [[3.0, 3.0]]
    """

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray], background: np.ndarray, seed: int) -> None:
        self._predict = predict
        self._background = np.ascontiguousarray(background, dtype=np.float64)
        count, width = self._background.shape
        self._orders = np.random.default_rng(seed).permuted(np.tile(np.arange(width), (count, 1)), axis=1)
        self._places = np.argsort(self._orders, axis=1)
        self._before = self._ask(self._background)

    def explain(self, row: np.ndarray) -> Shapley:
        """Contributions to the answer for one row, shape (features,)."""
        count, width = self._background.shape
        after = self._ask(row[None, :])[0]
        step = max(1, _CELLS // max(1, 2 * width * width))
        walked = np.concatenate([self._walk(row, after, slice(at, at + step)) for at in range(0, count, step)])
        spread = walked.std(axis=0, ddof=1) if count > 1 else np.zeros_like(walked[0])
        return Shapley(self._before.mean(axis=0), walked.mean(axis=0), spread / np.sqrt(count))

    def _walk(self, row: np.ndarray, after: np.ndarray, part: slice) -> np.ndarray:
        """What each feature changes on the way from background rows to the row, shape (rows, outputs, features)."""
        background, orders, before = self._background[part], self._orders[part], self._before[part]
        count, width = background.shape
        outputs = before.shape[1]
        taken = self._places[part][:, None, :] < np.arange(1, width)[None, :, None]
        forward = np.where(taken, row, background[:, None, :])
        backward = np.where(taken, background[:, None, :], row)
        said = self._ask(np.concatenate([forward, backward]).reshape(-1, width))
        there, back = said.reshape(2, count, width - 1, outputs)
        ends = np.broadcast_to(after, (count, 1, outputs)), before[:, None, :]
        rising = np.diff(np.concatenate([ends[1], there, ends[0]], axis=1), axis=1)
        falling = np.diff(np.concatenate([ends[0], back, ends[1]], axis=1), axis=1)
        changes = (rising - falling) / 2
        walked = np.empty_like(changes)
        np.put_along_axis(walked, orders[:, :, None], changes, axis=1)
        return walked.transpose(0, 2, 1)

    def _ask(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.empty((0, self._before.shape[1]))
        return np.asarray(self._predict(rows), dtype=np.float64).reshape(len(rows), -1)
