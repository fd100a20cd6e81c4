"""An endpoint whose probabilities are right, until inputs shift or labels follow otherwise; and what was kept of it."""

from __future__ import annotations

import numpy as np

from drivetrain.core.clock import DAY
from drivetrain.core.records import Field, InputSchema, Task
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.monitor.estimate.calibration import expit
from drivetrain.monitor.estimate.keeping import keep
from monitor.world import START, logs

SCHEMA = InputSchema((Field("x"), Field("y"), Field("carrier", "category", ("a", "b", "c"))))
WEEK = 7 * DAY
BEFORE = 60 * DAY


def rows(seed, days=7, a_day=400, *, shift=0.0, spread=1.0, otherwise=0.0):
    """Values, probabilities, labels and moments; ``otherwise`` makes carrier b's labels rarer than the model says."""
    random = np.random.default_rng(seed)
    total = days * a_day
    values = np.column_stack(
        [random.normal(shift, spread, total), random.normal(0, 1, total), random.choice(3, total, p=[0.5, 0.3, 0.2])]
    ).astype(float)
    margin = -1 + 1.2 * values[:, 0] - 0.5 * values[:, 1] + 0.8 * (values[:, 2] == 1)
    chance = expit(margin - otherwise * (values[:, 2] == 1))
    ats = START + np.repeat(np.arange(days), a_day) * DAY + random.integers(0, DAY, total)
    return values, expit(margin), (random.random(total) < chance).astype(float), ats


def evaluated(seed=99, days=30, a_day=200):
    """What was kept of an evaluation, and the evaluation."""
    values, said, labels, ats = rows(seed, days, a_day)
    kept = keep(values, said, labels, ats - BEFORE, schema=SCHEMA)
    return kept, evaluate(said, labels, ats - BEFORE, subject=Subject(run_id="r", model="late", data="table:t@1"))


def numbers(seed, days=7, a_day=400, *, shift=0.0, worse=1.0):
    """The same of a model of a number, whose errors grow with x."""
    random = np.random.default_rng(seed)
    total = days * a_day
    values = np.column_stack([random.normal(shift, 1, total), random.normal(0, 1, total), np.zeros(total)])
    said = 2 * values[:, 0] + values[:, 1]
    labels = said + worse * (0.5 + np.exp(0.6 * values[:, 0])) * random.normal(0, 1, total)
    return values, said, labels, START + np.repeat(np.arange(days), a_day) * DAY + random.integers(0, DAY, total)


NUMBER = Task("regression")

__all__ = ["NUMBER", "SCHEMA", "START", "WEEK", "evaluated", "logs", "numbers", "rows"]
