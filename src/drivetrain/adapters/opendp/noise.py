"""Integer noise by ``opendp``, no less than a guarantee asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

import opendp.prelude as dp

from drivetrain.core.protocols import Noised

dp.enable_features("contrib")

_SURE = 0.95


def noisy(values: Sequence[int], *, reach: int, epsilon: float, delta: float) -> Noised:
    """See :class:`~drivetrain.core.protocols.Noise`.

    Discrete Laplace noise where ``delta`` is 0, of the least scale that OpenDP's privacy map lets pass, else discrete
    Gaussian (Canonne, Kamath and Steinke, "The discrete Gaussian for differential privacy", 2020); by OpenDP's own
    samplers.
    """
    scale = _least(reach, epsilon, delta)
    made = (_gaussian(scale) if delta else _laplace(scale))(list(values))
    return Noised([int(value) for value in made], scale, _width(scale, normal=bool(delta)))


def _width(scale: float, *, normal: bool) -> float:
    """What the noise stays below; for whole numbers the tail is that of both ends from the next one on."""
    if normal:
        return math.ceil(scale * NormalDist().inv_cdf((1 + _SURE) / 2))
    return max(0, math.ceil(-scale * math.log((1 - _SURE) * (1 + math.exp(-1 / scale)) / 2) - 1))


@lru_cache(256)
def _least(reach: int, epsilon: float, delta: float) -> float:
    if not delta:
        return float(dp.binary_search_param(_laplace, d_in=reach, d_out=epsilon, T=float))

    # M. Bun and T. Steinke, "Concentrated differential privacy", 2016, proposition 1.3; a little more than is needed.
    tail = -math.log(delta)
    rho = (math.sqrt(tail + epsilon) - math.sqrt(tail)) ** 2
    return reach / math.sqrt(2 * rho)


def _laplace(scale: float) -> Any:  # noqa: ANN401 - a measurement of OpenDP
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    return space >> dp.m.then_laplace(scale=scale)


def _gaussian(scale: float) -> Any:  # noqa: ANN401 - a measurement of OpenDP
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    return space >> dp.m.then_gaussian(scale=scale)
