from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as golden

from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.over import Weighted
from drivetrain.evaluate.metrics.quantile import figures

LEVELS = (0.1, 0.5, 0.9)


@given(st.integers(0, 1 << 30), st.integers(1, 40))
def test_pinball_is_scikit_learns_and_coverage_is_counted(seed, rows):
    chance = np.random.default_rng(seed)
    labels, said = chance.integers(0, 9, rows).astype(float), chance.integers(0, 9, (rows, 3)).astype(float)
    weights = chance.integers(1, 4, rows).astype(float)
    found = {
        name: each[0]
        for name, each in figures(Answers(labels, said, Task("quantile", levels=LEVELS)), Weighted(weights)).items()
    }
    losses = [
        golden.mean_pinball_loss(labels, said[:, at], alpha=level, sample_weight=weights)
        for at, level in enumerate(LEVELS)
    ]
    assert [found[f"pinball@{level:g}"] for level in LEVELS] == pytest.approx(losses)
    assert found["pinball"] == pytest.approx(np.mean(losses))

    def share(which) -> float:
        return float(np.average(which, weights=weights))

    for at, level in enumerate(LEVELS):
        assert found[f"coverage@{level:g}"] == pytest.approx(share(labels <= said[:, at]))
    assert found["interval_coverage@0.8"] == pytest.approx(share((labels >= said[:, 0]) & (labels <= said[:, 2])))
    assert found["interval_width@0.8"] == pytest.approx(share(np.abs(said[:, 2] - said[:, 0])))
    crossed = [row != sorted(row) for row in said.tolist()]
    assert found["crossing"] == pytest.approx(share(crossed))
