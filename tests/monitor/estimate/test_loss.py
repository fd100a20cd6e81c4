"""Direct loss estimation, beside NannyML 0.13.1 on the same rows, and by simulation."""

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Field, InputSchema
from drivetrain.monitor.estimate.keeping import keep
from drivetrain.monitor.estimate.loss import estimate_losses, learn_losses
from drivetrain.monitor.estimate.window import estimate_window
from monitor.estimate.world import NUMBER, SCHEMA, numbers

TWO = InputSchema((Field("x"), Field("z")))
NANNYML = {"alike": (1.327899, 1.804593), "shifted": (1.918138, 2.645703)}
"""Mean absolute and root mean squared error that its DLE(chunk_size=3000) estimates for the rows below."""


def plain(seed, total, mean):
    random = np.random.default_rng(seed)
    x, z = random.normal(mean, 1, total), random.normal(0, 1, total)
    said = 2 * x + z
    return np.column_stack([x, z]), said, said + (0.5 + np.exp(0.6 * x)) * random.normal(0, 1, total)


def test_the_same_rows_give_the_figures_of_nannyml():
    values, said, labels = plain(1, 6_000, 0.0)
    losses = learn_losses(values, said, labels, np.arange(6_000) // 200, TWO)
    for name, seed, mean in (("alike", 2, 0.0), ("shifted", 3, 0.8)):
        values, said, labels = plain(seed, 3_000, mean)
        found = estimate_losses(losses, values, said, np.arange(3_000) // 400, TWO)
        assert found["mae"].value == pytest.approx(NANNYML[name][0], rel=0.03), name
        assert found["rmse"].value == pytest.approx(NANNYML[name][1], rel=0.04), name
        assert found["mae"].low < np.abs(labels - said).mean() < found["mae"].high
        assert found["rmse"].low < np.sqrt(np.square(labels - said).mean()) < found["rmse"].high


@pytest.mark.truth
def test_intervals_hold_what_comes():
    values, said, labels, ats = numbers(1, 30, 100)
    losses = learn_losses(values, said, labels, ats // DAY, SCHEMA)
    held = {"mae": 0, "rmse": 0}
    for seed in range(60):
        values, said, labels, ats = numbers([2, seed], 7, 60, shift=0.3)
        found = estimate_losses(losses, values, said, ats // DAY, SCHEMA)
        error = labels - said
        real = {"mae": np.abs(error).mean(), "rmse": np.sqrt(np.square(error).mean())}
        for name, one in found.items():
            held[name] += one.low <= real[name] <= one.high
    assert min(held.values()) >= 55, held


def test_a_window_of_numbers_is_asked_about_its_own_inputs():
    values, said, labels, ats = numbers(1, 30, 200)
    kept = keep(values, said, labels, ats, schema=SCHEMA, task=NUMBER)
    values, said, labels, ats = numbers(2, shift=0.9)
    found = estimate_window(kept, values, said, ats)
    assert found.estimation.method == "dle"
    assert found.estimation.shift > 0.65
    assert set(found.metrics) == {"mae", "rmse"}
    assert found.estimation.plain == {}
    real = np.abs(labels - said).mean()
    assert found.metrics["mae"].low < real < found.metrics["mae"].high
    worse = np.abs(numbers(2, shift=0.9, worse=2.0)[2] - said).mean()
    assert worse > found.metrics["mae"].high, "labels that follow otherwise are not seen"
