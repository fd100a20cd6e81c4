"""χ²: the test of homogeneity, and the effect size that does not grow with the number of rows."""

from __future__ import annotations

import numpy as np

from drivetrain.evaluate.ranking import Floats


def chi_square(left: Floats, right: Floats) -> Floats:
    """Pearson's χ² of a table of two rows; both are samples, and both err.

    Source: Pearson (1900); `scipy.stats.chi2_contingency` without correction. Bins that are empty on both sides add
    nothing. See :func:`chi_square_of_expected` for the convention in which the reference does not err.

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> round(float(chi_square(np.array([16.0, 18, 16, 14, 12, 12]), np.array([16.0, 16, 16, 16, 16, 8]))), 4)
        1.6224
    """
    n, m = (np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300) for counts in (left, right))
    both = left + right
    # Σ (m x - n y)² / (n m (x + y)), the table's statistic without its margins.
    apart = (m * left - n * right) ** 2 / np.where(both > 0, both, 1.0)
    return np.asarray((apart / (n * m)).sum(axis=-1))


def chi_square_of_expected(reference: Floats, current: Floats) -> Floats:
    """χ² of counts against expectations in the proportions of a reference that is taken as certain.

    This is what Evidently calls chi-square (`scipy.stats.chisquare`): its rate of false alarms is right only where the
    reference is far larger than the window. Nothing here judges by it; it is there to be compared with.

    Args:
        reference: Counts above zero, shape (…, bins).
        current: Counts, shape (…, bins).

    Example:
        >>> then, now = np.array([16.0, 18, 16, 14, 12, 12]), np.array([16.0, 16, 16, 16, 16, 8])
        >>> round(float(chi_square_of_expected(then, now)), 4)
        3.1746
    """
    expected = reference * (current.sum(axis=-1, keepdims=True) / reference.sum(axis=-1, keepdims=True))
    return np.asarray(((current - expected) ** 2 / expected).sum(axis=-1))


def cohens_w(left: Floats, right: Floats) -> Floats:
    """χ² as an effect size: its root, times the root of 1/n + 1/m.

    It is Σ (p - q)² / r, where r are the shares of all rows, under the root.

    Source: Cohen, "Statistical power analysis for the behavioral sciences" (1988), 7.2: .1 is small, .3 medium.

    Args:
        left: Counts, shape (…, bins).
        right: Counts, shape (…, bins); the other axes broadcast.

    Example:
        >>> float(cohens_w(np.array([50.0, 50.0]), np.array([70.0, 30.0])).round(4))
        0.4082
    """
    n, m = (np.maximum(counts.sum(axis=-1), 1e-300) for counts in (left, right))
    return np.asarray(np.sqrt(chi_square(left, right) * (1 / n + 1 / m)))
