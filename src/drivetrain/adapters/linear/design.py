"""From encoded rows to what a linear model is fitted on, and from its coefficients back to what columns add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from drivetrain.core.records import InputSchema


@dataclass(frozen=True)
class Folded:
    """What columns add to the margin, as :class:`drivetrain.adapters.linear.model.LinearModel` has it.

    Attributes:
        base: Shape (outputs,).
        slopes: Shape (outputs, fields); ``zeros`` and ``nulls`` alike.
        codes: Column → shape (codes + 1, outputs), null last.
        shares: How far each column moves the margins on average, shape (fields,).
    """

    base: np.ndarray
    slopes: np.ndarray
    zeros: np.ndarray
    nulls: np.ndarray
    codes: dict[int, np.ndarray]
    shares: np.ndarray


@dataclass(frozen=True)
class Design:
    """How columns become inputs: numbers of texts as they are, others scaled and flagged, categories one by one.

    Attributes:
        texts: Columns that are numbers of texts.
        numbers: Columns that are other numbers.
        means: Of these, and what null is read as.
        scales: Of these: standard deviations, 1 where nothing varies.
        categories: Column → how many codes it has.
    """

    texts: np.ndarray
    numbers: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    categories: dict[int, int]

    @classmethod
    def learn(cls, schema: InputSchema, rows: np.ndarray) -> Design:
        """Learns scales from training rows, shape (n, fields)."""
        kinds = np.array([field.type for field in schema.fields])
        numbers = np.flatnonzero((kinds == "number") | (kinds == "boolean"))
        values = rows[:, numbers]
        known = ~np.isnan(values)
        counts = np.maximum(known.sum(axis=0), 1)
        means = np.where(known, values, 0.0).sum(axis=0) / counts
        spread = np.sqrt((np.where(known, values - means, 0.0) ** 2).sum(axis=0) / counts)
        return cls(
            texts=np.flatnonzero(kinds == "text"),
            numbers=numbers,
            means=means,
            scales=np.where(spread > 0, spread, 1.0),
            categories={at: len(schema.fields[at].categories) for at in schema.category_positions},
        )

    def sparse(self, rows: np.ndarray) -> Any:  # noqa: ANN401 - scipy has no types here
        """Inputs: numbers, their flags, categories, then texts; a sparse matrix by rows."""
        from scipy import sparse  # noqa: PLC0415 - comes with scikit-learn

        values = rows[:, self.numbers]
        gaps = np.isnan(values)
        parts = [np.where(gaps, 0.0, (values - self.means) / self.scales), gaps.astype(np.float64)]
        parts += [_one_by_one(rows[:, at], count) for at, count in self.categories.items()]
        return sparse.hstack([sparse.csr_array(np.hstack(parts)), sparse.csr_array(rows[:, self.texts])], format="csr")

    def folded(self, slopes: np.ndarray, base: np.ndarray, rows: np.ndarray, weights: np.ndarray | None) -> Folded:
        """What each column adds, less what it adds on average over the training rows.

        Args:
            slopes: Coefficients of the inputs, shape (outputs, inputs).
            base: Intercepts, shape (outputs,).
            rows: The training rows, shape (n, fields).
            weights: How much each counts.
        """
        outputs, count = len(slopes), len(self.numbers)
        made, zeros, nulls = (np.zeros((outputs, rows.shape[1])) for _ in range(3))
        own = slopes[:, :count] / self.scales
        made[:, self.numbers], zeros[:, self.numbers] = own, -own * self.means
        nulls[:, self.numbers] = slopes[:, count : 2 * count]
        made[:, self.texts] = slopes[:, slopes.shape[1] - len(self.texts) :]
        nulls[:, self.texts] = 0.0
        codes, shares, base = {}, np.zeros(rows.shape[1]), base.astype(np.float64).copy()
        before = 2 * count
        for at, levels in self.categories.items():
            added = slopes[:, before : before + levels + 1].T
            before += levels + 1
            each = added[_places(rows[:, at], levels)]
            middle = np.average(each, axis=0, weights=weights)
            codes[at] = added - middle
            base += middle
            shares[at] = np.abs(each - middle).sum(axis=1).mean()
        for at in (*self.numbers, *self.texts):
            column = rows[:, at, None]
            each = np.where(np.isnan(column), nulls[:, at], zeros[:, at] + made[:, at] * column)
            middle = np.average(each, axis=0, weights=weights)
            zeros[:, at] -= middle
            nulls[:, at] -= middle
            base += middle
            shares[at] = np.abs(each - middle).sum(axis=1).mean()
        return Folded(base, made, zeros, nulls, codes, shares)


def _one_by_one(values: np.ndarray, count: int) -> np.ndarray:
    inputs: np.ndarray = (_places(values, count)[:, None] == np.arange(count + 1)).astype(np.float64)
    return inputs


def _places(values: np.ndarray, count: int) -> np.ndarray:
    """Codes as positions; null is the last."""
    return np.where(np.isnan(values), count, values).astype(np.intp)
