"""OpenDP's noise is as wide as the theory says, and what is said of its width is so."""

from __future__ import annotations

import importlib
import math
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, chisquare, kstest

from drivetrain.core import plugins
from drivetrain.data.privacy.aggregate import Ask, aggregate
from drivetrain.testing.extra import need_extra

need_extra("opendp")
dp = importlib.import_module("opendp.prelude")
MANY = 6_000


def drawn(**asked):
    return plugins.load("noise", "opendp")([0] * MANY, **asked)


@pytest.mark.parametrize(("reach", "epsilon"), [(1, 1.0), (3, 0.5)])
def test_laplace_noise_is_distributed_as_in_theory(reach, epsilon):
    made = drawn(reach=reach, epsilon=epsilon, delta=0.0)
    assert made.scale == pytest.approx(reach / epsilon, rel=1e-6)
    assert made.scale >= reach / epsilon * (1 - 1e-12)
    # A. Ghosh et al., "Universally utility-maximizing privacy mechanisms", 2009: two-sided geometric.
    alpha = math.exp(-1 / made.scale)
    edge = int(4 * made.scale)
    counts = np.array([sum(v == k for v in made.values) for k in range(-edge, edge + 1)])
    chances = np.array([(1 - alpha) / (1 + alpha) * alpha ** abs(k) for k in range(-edge, edge + 1)])
    seen = np.append(counts, MANY - counts.sum())
    assert chisquare(seen, np.append(chances, 1 - chances.sum()) * MANY).pvalue > 1e-4
    assert binomtest(sum(abs(v) <= made.sure for v in made.values), MANY, 0.95, alternative="less").pvalue > 1e-4


def test_gaussian_noise_is_distributed_as_in_theory_and_as_wide_as_the_guarantee_asks():
    made = plugins.load("noise", "opendp")([0] * 400, reach=1000, epsilon=0.5, delta=1e-6)
    values = np.array(made.values) / made.scale
    assert kstest(values, "norm").pvalue > 1e-4
    # Dwork and Roth, theorem A.1: what suffices for epsilon below 1.
    assert made.scale <= 1000 * math.sqrt(2 * math.log(1.25 / 1e-6)) / 0.5 * 1.05
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    proven = dp.c.make_fix_delta(
        dp.c.make_zCDP_to_approxDP(space >> dp.m.then_gaussian(scale=made.scale)), delta=1e-6
    ).map(1000.0)
    assert 0.4 < proven[0] <= 0.5
    assert binomtest(int((abs(values) <= made.sure / made.scale).sum()), 400, 0.95).pvalue > 1e-4


@pytest.mark.parametrize(
    "ask",
    [
        Ask(what="count", epsilon=0.2),
        Ask(what="sum", column="x", low=0.0, high=10.0, epsilon=0.5),
        Ask(what="mean", column="x", low=0.0, high=10.0, epsilon=0.5),
        Ask(what="mean", column="x", low=0.0, high=10.0, epsilon=0.5, delta=1e-5),
    ],
    ids=lambda ask: f"{ask.what}-{ask.delta}",
)
def test_intervals_hold_the_figure_without_noise(ask):
    rows = pl.DataFrame({"x": [float(n % 11) for n in range(500)]})
    truth = {"count": 500.0, "sum": rows["x"].sum(), "mean": rows["x"].mean()}[ask.what]
    noise = plugins.load("noise", "opendp")
    tries = 60
    made = [aggregate(rows, ask, noise) for _ in range(tries)]
    held = sum(one.lower[0] <= truth <= one.upper[0] for one in made)
    assert binomtest(held, tries, 0.95, alternative="less").pvalue > 1e-4
    assert len({one.values for one in made}) > 1


def test_without_the_library_the_extra_is_named():
    code = (
        "import sys; sys.modules['opendp'] = None; sys.modules['opendp.prelude'] = None\n"
        "from drivetrain.core import plugins; plugins.load('noise', 'opendp')"
    )
    told = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert 'pip install "drivetrain[opendp]"' in told.stderr
