"""Weighted estimates where scores mean otherwise on other inputs: what the plain estimate gets wrong."""

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import Task
from drivetrain.monitor.estimate.calibration import expit
from drivetrain.monitor.estimate.expected import Ordered
from drivetrain.monitor.estimate.keeping import keep
from drivetrain.monitor.estimate.window import estimate_window
from monitor.estimate.world import SCHEMA
from monitor.world import START


def blind(seed, days, a_day, shares):
    """A model that does not read the carrier, of which c's come true more often than it says."""
    random = np.random.default_rng(seed)
    total = days * a_day
    carrier = random.choice(3, total, p=shares).astype(float)
    values = np.column_stack([random.normal(0, 1, total), random.normal(0, 1, total), carrier])
    margin = -1.5 + values[:, 0]
    came = (random.random(total) < expit(margin + 1.6 * (carrier == 2))).astype(float)
    return values, expit(margin), came, START + np.repeat(np.arange(days), a_day) * DAY


@pytest.mark.truth
def test_weighted_intervals_hold_what_comes_where_plain_ones_do_not():
    held = {"weighted": 0, "plain": 0}
    for seed in range(25):
        values, said, came, ats = blind([1, seed], 30, 100, [0.5, 0.4, 0.1])
        kept = keep(values, said, came, ats, schema=SCHEMA)
        values, said, came, ats = blind([2, seed], 7, 100, [0.2, 0.2, 0.6])
        found = estimate_window(kept, values, said, ats)
        ordered = Ordered(said)
        real = ordered.figures(came[ordered.order][None])
        assert found.estimation.plain
        for name in ("base_rate", "log_loss"):
            one = found.metrics[name]
            held["weighted"] += one.low <= real[name][0] <= one.high
            held["plain"] += abs(found.estimation.plain[name].value - real[name][0]) < one.high - one.value
    assert held["weighted"] >= 45, held
    assert held["plain"] <= 10, held


def test_classes_are_weighted_too():
    random = np.random.default_rng(3)

    def drawn(days, a_day, shares):
        total = days * a_day
        carrier = random.choice(3, total, p=shares)
        values = np.column_stack([random.normal(0, 1, total), random.normal(0, 1, total), carrier.astype(float)])
        margin = np.column_stack([values[:, 0], values[:, 1], np.zeros(total)])
        said = np.exp(margin) / np.exp(margin).sum(axis=1, keepdims=True)
        truth = np.exp(margin + 2.0 * (carrier == 2)[:, None] * np.array([0, 0, 1]))
        truth /= truth.sum(axis=1, keepdims=True)
        came = (random.random(total)[:, None] > truth.cumsum(axis=1)).sum(axis=1).clip(0, 2)
        return values, said, came.astype(float), START + np.repeat(np.arange(days), a_day) * DAY

    values, said, came, ats = drawn(30, 100, [0.5, 0.4, 0.1])
    kept = keep(values, said, came, ats, schema=SCHEMA, task=Task("multiclass", classes=("a", "b", "c")))
    values, said, came, ats = drawn(7, 200, [0.1, 0.1, 0.8])
    found = estimate_window(kept, values, said, ats)
    real = float((said.argmax(axis=1) == came).mean())
    assert found.metrics["accuracy"].low < real < found.metrics["accuracy"].high
    assert found.estimation.plain["accuracy"].value > real + 0.03
    assert found.metrics["accuracy"].value == pytest.approx(real, abs=0.05)
