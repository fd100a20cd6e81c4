"""Evidence that may be looked at any time: however often one looks, the promised error holds.

A test for a fixed number of rows that is looked at fifty times finds something in a third of all cases where there is
nothing. What is here is a martingale if there is nothing, so that it ever grows to ``1 / alpha`` with probability
``alpha`` at most (Ville's inequality), whoever looks when.

Sources: J. Ville (1939); H. Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math.
Statist. 41 (1970), mixtures; I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, "Time-uniform central limit
theory and asymptotic confidence sequences", Ann. Statist. 52 (2024), theorem 2.2 and section 2.3 (choice of rho).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, sqrt

import numpy as np

from drivetrain.core.special import special
from drivetrain.features.exact import Floats


def rate_above(bad: int, of: int, limit: float) -> float:
    """Evidence that a rate lies above a limit.

    While it does not, the evidence ever exceeds ``1 / alpha`` with probability ``alpha`` at most. It is the likelihood
    under every rate above the limit, equally weighed, against that under the limit itself.

    Args:
        bad: How many were bad.
        of: Of how many.
        limit: The limit, below 1.

    Returns:
        An e-value: 1 says nothing, 20 is as improbable as 1 in 20.
    """
    if not of or limit >= 1.0:
        return 1.0
    if limit <= 0.0:
        return inf if bad else 1.0
    above = float(special().betaincc(bad + 1, of - bad + 1, limit))
    if above <= 0.0:
        return 0.0
    size = float(special().betaln(bad + 1, of - bad + 1)) + log(above) - log(1.0 - limit)
    size -= bad * log(limit) + (of - bad) * log(1.0 - limit)
    return exp(min(size, 700.0))


@dataclass(frozen=True)
class Interval:
    """A mean and how far from it the truth may lie.

    Attributes:
        mean: The mean.
        low: Lower bound.
        high: Upper bound.
    """

    mean: float
    low: float
    high: float


def mean_of(values: Floats, *, alpha: float, expected: int) -> Interval:
    """A mean with bounds that hold at all times together, for means of many values.

    Args:
        values: Values whose expectation, given those before, is what is asked for; in the order they came.
        alpha: Probability that the bounds are ever wrong.
        expected: Number of values at which the bounds shall be narrowest; chosen before looking.
    """
    many = len(values)
    if many < 2:
        return Interval(float(np.mean(values)) if many else 0.0, -inf, inf)
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha)) + 1) / expected)
    scaled = many * rho * rho + 1
    half = spread * sqrt(2 * scaled / (many * rho) ** 2 * log(sqrt(scaled) / alpha))
    return Interval(mean, mean - half, mean + half)


def difference(values: Floats, treated: Floats, probability: Floats, *, alpha: float, expected: int) -> Interval:
    """How much more the treated have than the others, where who was treated was drawn.

    Every row is weighed by the inverse of the probability of what was drawn for it (D. Horvitz, D. Thompson, J. Amer.
    Statist. Assoc. 47, 1952), so that shares may change as time goes by and rows with it. Values are taken from their
    mean, which changes nothing but the width.

    Args:
        values: What is compared; in the order the rows came.
        treated: 1 where a row was treated, else 0.
        probability: Of what was drawn for each row, treated or not.
        alpha: As for :func:`mean_of`.
        expected: As for :func:`mean_of`.
    """
    if not len(values):
        return Interval(0.0, -inf, inf)
    signs = np.where(treated > 0, 1.0, -1.0)
    return mean_of((values - values.mean()) * signs / probability, alpha=alpha, expected=expected)
