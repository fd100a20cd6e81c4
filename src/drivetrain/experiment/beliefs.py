"""What bandits believe after the rewards they have seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.special import special
from drivetrain.features.exact import Floats
from drivetrain.serve.routing.best import floored, greatest

_NODES = 512
_TAIL = 1e-9
_RIDGE = 1.0


def thompson_shares(rewards: Sequence[Floats], least: float) -> tuple[list[float], list[tuple[float, ...]]]:
    """Shares of arms by the probability that each is best, and what is believed of each: mean, variance, rewards seen.

    Rewards of 0 and 1 have the posterior of a rate under a uniform prior, exactly; others that of a mean, normal, with
    a prior as wide as the rewards of all arms and worth one of them.

    Args:
        rewards: Of each arm.
        least: No arm gets less than this: what is never tried can't be found to have become better.
    """
    every = np.concatenate(rewards)
    if not len(every):
        return [1.0 / len(rewards)] * len(rewards), [(0.0, 0.0, 0.0)] * len(rewards)
    if np.isin(every, (0.0, 1.0)).all():
        won = np.array([own.sum() for own in rewards])
        lost = np.array([len(own) for own in rewards]) - won
        means = (won + 1) / (won + lost + 2)
        variances = means * (1 - means) / (won + lost + 3)
        shares = _greatest_rate(won + 1, lost + 1)
    else:
        spread = float(every.var()) or 1e-12
        counts = np.array([len(own) for own in rewards])
        means = np.array([(own.sum() + every.mean()) / (len(own) + 1) for own in rewards])
        variances = spread / (counts + 1)
        shares = greatest(means.tolist(), variances.tolist())
    told: list[tuple[float, ...]] = [
        (float(m), float(v), float(len(own))) for m, v, own in zip(means, variances, rewards, strict=True)
    ]
    return floored(shares, least), told


def linear_belief(contexts: Floats, rewards: Floats, noise: float) -> tuple[float, ...]:
    """Posterior of a reward that is linear in the context: its mean, then its covariance row after row.

    Source: S. Agrawal, N. Goyal, "Thompson sampling for contextual bandits with linear payoffs", ICML 2013.

    Args:
        contexts: Rows, a 1 in front; shape (n, d).
        rewards: Shape (n,).
        noise: Variance of a reward about its expectation.
    """
    precision = np.eye(contexts.shape[1]) * _RIDGE + contexts.T @ contexts
    covariance = np.linalg.inv(precision)
    mean = covariance @ (contexts.T @ rewards)
    return (*mean.tolist(), *(noise * covariance).reshape(-1).tolist())


def noise_of(contexts: Sequence[Floats], rewards: Sequence[Floats]) -> float:
    """Variance of rewards about the linear fit of their own arm."""
    left = [
        own
        - rows @ np.linalg.lstsq(np.vstack([rows, np.eye(rows.shape[1])]), np.append(own, np.zeros(rows.shape[1])))[0]
        for rows, own in zip(contexts, rewards, strict=True)
        if len(own)
    ]
    return float(np.concatenate(left).var()) + 1e-9 if left else 1.0


def _greatest_rate(won: Floats, lost: Floats) -> list[float]:
    """Probability of each of several rates to be the greatest, by quadrature over where rates may be."""
    known = special()
    low = float(known.betaincinv(won, lost, _TAIL).min())
    high = float(known.betaincinv(won, lost, 1.0 - _TAIL).max())
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    at = (low + high) / 2 + (high - low) / 2 * nodes
    won, lost = won[:, None], lost[:, None]
    below = known.betainc(won, lost, at)
    density = known.xlogy(won - 1, at) + known.xlog1py(lost - 1, -at) - known.betaln(won, lost)
    dense = np.exp(density) * weights
    found = np.array([(dense[own] * np.delete(below, own, axis=0).prod(axis=0)).sum() for own in range(len(won))])
    return [float(share) for share in found / found.sum()]
